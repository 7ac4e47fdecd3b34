import { FnrunError } from '../../runtime/contract/errors.ts';
import type { BootCheckEntry } from '../../runtime/contract/ipc.ts';
import type { Manifest } from '../../runtime/contract/manifest.ts';
import type { StepsMs } from '../../router/control/types.ts';
import { Account } from '../account/account.ts';
import { tell, tellChecked } from '../account/lines.ts';
import { warningsOf, writeInspections } from '../boot-check.ts';
import type { DeployContext, ManagedApp } from '../context.ts';
import { beginDeployment, type Progress } from '../deployment.ts';
import { findRelease, loadRelease, readBuildManifest, releaseDir } from '../release-ref.ts';
import type { DeploymentRecord, ReleaseRecord } from '../store/store.ts';
import { askChecks } from '../rollback.ts';
import { afterSwitch, countRequests, switchTo } from '../switch.ts';
import { changeOverlay, previewEnv } from '../previews/preview-env.ts';
import { releaseId } from './release-id.ts';
import type { EnvChange } from './vault.ts';

/** What came of a change of an app's environment. */
export interface EnvChanged {
  /** Whether anything is other than before. */
  changed: boolean;
  /** Null when nothing was deployed: nothing changed, or the app has no release yet. */
  deployment: DeploymentRecord | null;
}

/** A change, and who asks for it. */
export interface EnvRequest extends EnvChange {
  /** Name of the ssh key that it came by. */
  key: string | null;
}

/**
 * Changes an app's variables: the live code with the new environment is a release, deployed like any other. An app
 * without a release keeps them for its first one. Rejects with FN_BAD_ENV, FN_SECRET_KEY or FN_BOOT_CHECK; nothing
 * has changed then.
 */
export async function changeEnv(context: DeployContext, app: ManagedApp, change: EnvRequest): Promise<EnvChanged> {
  return await app.lane.run(async () => {
    const { store } = context;
    const record = await store.getApp(app.name);
    const before = record?.env ?? null;
    const env = await changed(context, app, { before, change });
    // Not `app.live`: a release whose variables are lost does not serve, and this is how it gets others.
    const liveId = record?.liveDeployment ?? null;
    const live = liveId === null ? null : await store.getDeployment(liveId);
    if (live === null || live.release === null) {
      await store.useEnv(app.name, env);
      return { changed: env !== before, deployment: null };
    }
    const base = await findRelease(context, app, live.release);
    const release = { ...base, env, id: releaseId({ build: base.build, env }), createdAtMs: context.now() };
    if (release.id === app.live?.release) return { changed: false, deployment: null };
    return { changed: true, deployment: await deploy(context, app, { release, live, change }) };
  });
}

/** The version that the app gets. A preview's own variables lie over those of its app, which it cannot unset. */
async function changed(
  context: DeployContext,
  app: ManagedApp,
  { before, change }: { before: string | null; change: EnvChange },
): Promise<string | null> {
  if (app.previewOf === null) return await context.vault.change({ app: app.name, id: before }, change);
  await changeOverlay(context, app, change);
  return await previewEnv(context, app);
}

async function deploy(
  context: DeployContext,
  app: ManagedApp,
  { release, live, change }: { release: ReleaseRecord; live: DeploymentRecord; change: EnvRequest },
): Promise<DeploymentRecord> {
  const account = new Account({ redact: (text) => app.redaction.text(text) });
  const progress = await beginDeployment(context, app, {
    commit: live.commit,
    ref: live.ref,
    source: 'env',
    key: change.key,
    account,
    release: release.id,
    info: { author: live.author, subject: describeChange(change) },
  });
  const { deployment } = progress;
  try {
    tell(account, 'env', describeChange(change));
    const requests = await countRequests(app);
    await check(context, app, { release, progress, account });
    await askChecks(app, release.id);
    await progress.accept({ ...release, release: release.id, loaded: true, requests });
    progress.enter('activate');
    const { startedAtMs } = deployment;
    const stepsMs = (): StepsMs => progress.stepsMs();
    const ready = { release: release.id, loaded: true, requests, stepsMs };
    await switchTo(context, app, { deployment, ...ready, account, startedAtMs });
  } catch (error) {
    await app.host.discard(release.id).catch(() => {});
    await progress.fail(error, account);
    progress.end(false);
    throw error;
  }
  account.end(true);
  progress.end(true);
  await afterSwitch(context, app);
  return (await context.store.getDeployment(deployment.id)) ?? deployment;
}

async function check(
  context: DeployContext,
  app: ManagedApp,
  { release, progress, account }: { release: ReleaseRecord; progress: Progress; account: Account },
): Promise<void> {
  progress.enter('check');
  const startedMs = performance.now();
  const { functions: entries } = await loadRelease(context, app, { release, check: true });
  refuseFailed(app, entries);
  for (const warning of warningsOf(entries)) tell(account, 'warning', warning);
  const dir = releaseDir(app, release);
  const manifest: Manifest = await readBuildManifest(dir);
  const own = release.id === release.build ? {} : { release: release.id };
  await writeInspections({ dir, manifest }, entries, { durable: true, ...own });
  tellChecked(account, { entries, tookMs: performance.now() - startedMs });
}

function refuseFailed(app: ManagedApp, entries: readonly BootCheckEntry[]): void {
  const failed = entries.find((entry) => entry.error !== null);
  if (failed === undefined) return;
  const { file = null, line = null, message = 'it did not load' } = failed.error ?? {};
  const place = file === null ? failed.name : `${file}${line === null ? '' : `:${line}`}`;
  throw new FnrunError('FN_BOOT_CHECK', `The live code does not load with these variables: ${place}: ${message}`, {
    hint: `nothing has changed; if the code is to change first, push it, then set them; see: fnrun env ${app.name} list`,
  });
}

/** `set TOKEN, unset OLD`: names only. */
function describeChange({ set, unset }: EnvChange): string {
  const parts = [
    { verb: 'set', names: Object.keys(set) },
    { verb: 'unset', names: unset },
  ];
  return parts
    .filter(({ names }) => names.length > 0)
    .map(({ verb, names }) => `${verb} ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`)
    .join('; ');
}
