import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unmarkUnlinked } from '../builder/dependencies/install.ts';
import { deployLimits } from '../runtime/contract/limits.ts';
import { manifestName } from '../runtime/contract/manifest.ts';
import type { DeployContext, ManagedApp } from './context.ts';
import { sweepQuarantine } from './git/repository.ts';
import { git } from './git/run.ts';
import { accountPath } from './paths.ts';
import { releaseDir } from './release-ref.ts';

const releaseId = /^[0-9a-f]{16}$/;

/** Removes old releases, deployments and accounts of an app, and lets git tidy up now and then. Call in the app's lane. */
export async function keepHouse(context: DeployContext, app: ManagedApp): Promise<void> {
  const { store } = context;
  const deployments = await store.listDeployments(app.name, { limit: deployLimits.deploymentsKept });
  const kept = releasesToKeep(deployments, { live: app.live?.release ?? null, keep: context.releasesKept });
  const releases = await store.listReleases(app.name);
  const builds = new Set(releases.filter((release) => kept.has(release.id)).map((release) => release.build));
  const old = releases.filter(({ id }) => !kept.has(id));
  for (const release of old) {
    // The record goes first: a release that is on record is whole.
    await store.removeRelease(app.name, release.id);
    const dir = releaseDir(app, release);
    if (builds.has(release.build)) await rm(join(dir, manifestName({ release: release.id })), { force: true });
    else await rm(dir, { recursive: true, force: true });
  }
  await store.trimEnvs(app.name);
  const { cache: cacheDir, releases: releasesDir, repository } = app.paths;
  if (old.length > 0) await unmarkUnlinked({ cacheDir, releasesDir });
  await sweepQuarantine(repository);
  for (const id of await store.trimDeployments(app.name, { keep: deployLimits.deploymentsKept })) {
    await rm(accountPath(app.paths, id), { force: true });
  }
  if (app.previewOf === null && app.activations % deployLimits.activationsPerGc === 0) {
    await git(['gc', '--auto', '--quiet'], { repository, signal: context.signal });
  }
}

/** The live release and the newest ones that went live; `deployments` newest first. */
export function releasesToKeep(
  deployments: readonly { release: string | null; state: string }[],
  { live, keep }: { live: string | null; keep: number },
): Set<string> {
  const kept = new Set(live === null ? [] : [live]);
  for (const { release, state } of deployments) {
    if (release === null || state !== 'succeeded') continue;
    if (kept.size >= keep + 1) break;
    kept.add(release);
  }
  return kept;
}

/** Removes what an interrupted build or removal left: at start, before anything else runs. */
export async function sweepLeftovers(context: DeployContext, app: Pick<ManagedApp, 'name' | 'paths'>): Promise<void> {
  const { store } = context;
  await rm(app.paths.build, { recursive: true, force: true });
  const recorded = new Set((await store.listReleases(app.name)).map((release) => release.build));
  for (const entry of await readdir(app.paths.releases).catch(() => [])) {
    if (releaseId.test(entry) && recorded.has(entry)) continue;
    await rm(join(app.paths.releases, entry), { recursive: true, force: true });
  }
}
