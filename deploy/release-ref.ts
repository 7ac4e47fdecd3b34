import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Env } from '../runtime/contract/env.ts';
import { FnrunError } from '../runtime/contract/errors.ts';
import type { LoadResult } from '../runtime/contract/ipc.ts';
import { type Manifest, manifestName } from '../runtime/contract/manifest.ts';
import type { ReleaseRef } from '../runtime/supervisor/app-host.ts';
import type { DeployContext, ManagedApp } from './context.ts';
import type { ReleaseRecord } from './store/store.ts';

/** What names a release and what it consists of. */
export type ReleaseName = Pick<ReleaseRecord, 'id' | 'build' | 'env'>;

/** Where the code of a release lies. */
export function releaseDir(app: Pick<ManagedApp, 'paths'>, { build }: Pick<ReleaseRecord, 'build'>): string {
  return join(app.paths.releases, build);
}

/**
 * The variables of a version. Whatever is told of the app keeps their values to itself from here on. Rejects with
 * FN_SECRET_KEY.
 */
export async function openEnv(context: DeployContext, app: ManagedApp, id: string | null): Promise<Env> {
  const env = await context.vault.read({ app: app.name, id });
  app.redaction.cover(id, { env, live: app.live?.env ?? null });
  return env;
}

/** A release on disk, with the variables it runs with: what an app host is given. Rejects with FN_SECRET_KEY. */
export async function releaseRef(context: DeployContext, app: ManagedApp, release: ReleaseName): Promise<ReleaseRef> {
  const env = await openEnv(context, app, release.env);
  return { release: release.id, releaseDir: releaseDir(app, release), env: { ...env } };
}

/** A release that is on record. Rejects with FN_NO_SUCH_RELEASE. */
export async function findRelease(
  context: DeployContext,
  app: Pick<ManagedApp, 'name'>,
  id: string,
): Promise<ReleaseRecord> {
  const release = await context.store.getRelease(app.name, id);
  if (release !== null) return release;
  throw new FnrunError('FN_NO_SUCH_RELEASE', `${app.name} has no release ${id}`, {
    hint: `see: fnrun deploys ${app.name}`,
  });
}

/** What the builder wrote about the build in `dir`. */
export async function readBuildManifest(dir: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(dir, manifestName()), 'utf8')) as Manifest;
}

/** Loads a release beside the live one. What its functions said while they loaded comes without secrets. */
export async function loadRelease(
  context: DeployContext,
  app: ManagedApp,
  { release, check, fresh = false }: { release: ReleaseName; check: boolean; fresh?: boolean },
): Promise<LoadResult> {
  const ref = await releaseRef(context, app, release);
  const result = await withoutSecrets(app, () => app.host.load(ref, { check, fresh }));
  return { ...result, functions: result.functions.map((entry) => app.redaction.checked(entry)) };
}

/** What an app's host rejects with may hold what the app said last. */
export async function withoutSecrets<T>(app: Pick<ManagedApp, 'redaction'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw app.redaction.error(error);
  }
}
