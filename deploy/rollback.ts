import { FnrunError } from '../runtime/contract/errors.ts';
import type { DeploymentSource, StepsMs } from '../router/control/types.ts';
import { Account } from './account/account.ts';
import { tell } from './account/lines.ts';
import type { DeployContext, LiveRelease, ManagedApp } from './context.ts';
import { otherDatabase } from './database/other-database.ts';
import { beginDeployment, type Progress } from './deployment.ts';
import { Rejection } from './rejection.ts';
import { findRelease, loadRelease } from './release-ref.ts';
import { unlessAborted } from './unless-aborted.ts';
import { afterSwitch, failedChecks, switchTo } from './switch.ts';
import type { DeploymentRecord } from './store/store.ts';
import { deployLimits } from '../runtime/contract/limits.ts';

/** Which release to switch to; `release` is an id or the start of one. */
export interface SwitchRequest {
  source: Exclude<DeploymentSource, 'push' | 'env'>;
  release: string | null;
  /** Only if this deployment is still the live one, which is not told as an error. */
  expected?: string;
  /** Name of the ssh key that it came by. */
  key: string | null;
}

/**
 * Makes a release that was live before the live one again (rollback: by default the one before
 * the live one; redeploy: by default the live one itself, in new workers). Rejects with
 * FN_NO_RELEASE, FN_NO_SUCH_RELEASE, FN_ALREADY_LIVE or FN_BOOT_CHECK; nothing has changed then.
 */
export async function switchRelease(
  context: DeployContext,
  app: ManagedApp,
  request: SwitchRequest,
): Promise<DeploymentRecord> {
  return await app.lane.run(async () => {
    const { live } = app;
    if (live === null) {
      throw new FnrunError('FN_NO_RELEASE', `${app.name} has no live release yet`, { hint: 'push to it first' });
    }
    if (request.expected !== undefined && request.expected !== live.deployment) throw new Superseded();
    const target = await findTarget(context, app, { request, live });
    const { commit, author, subject } = target;
    const account = new Account({ redact: (text) => app.redaction.text(text) });
    const progress = await beginDeployment(context, app, {
      commit,
      ref: app.production,
      source: request.source,
      key: request.key,
      account,
      release: target.release,
      info: { author, subject },
    });
    return await carryOut(context, app, { progress, account, release: target.release });
  });
}

async function carryOut(
  context: DeployContext,
  app: ManagedApp,
  { progress, account, release }: { progress: Progress; account: Account; release: string },
): Promise<DeploymentRecord> {
  const { deployment } = progress;
  const fresh = deployment.source === 'redeploy';
  try {
    tell(account, deployment.source, `to release ${release}`);
    const database = await otherDatabase(context, app, release);
    if (database !== null) tell(account, 'database', `another than that of what was live: ${database}`);
    progress.enter('check');
    await loadChecked(context, app, { release, fresh, signal: progress.signal });
    await askChecks(app, release);
    progress.enter('activate');
    const stepsMs = (): StepsMs => progress.stepsMs();
    const { startedAtMs } = deployment;
    await switchTo(context, app, { deployment, release, loaded: true, account, stepsMs, startedAtMs });
  } catch (error) {
    await app.host.discard(release).catch(() => {});
    await progress.fail(error, account);
    progress.end(false);
    if (error instanceof Rejection)
      throw new FnrunError(error.code, `The ${deployment.source} was ${error.label} ${error.message}`);
    throw error;
  }
  progress.end(true);
  await afterSwitch(context, app);
  return (await context.store.getDeployment(deployment.id)) ?? deployment;
}

/** Something else went live meanwhile. */
export class Superseded extends Error {}

/** Rejects with FN_CHECK_FAILED when a function of a loaded release does not answer its check. */
export async function askChecks(app: ManagedApp, release: string): Promise<void> {
  const { failed } = await app.host.probe(release);
  const [first] = failed;
  if (first === undefined) return;
  throw new FnrunError('FN_CHECK_FAILED', `${failedChecks(failed)}: GET ${first.path} ${first.reason}`, {
    hint: `what was live goes on; see: fnrun logs ${app.name}`,
  });
}

async function loadChecked(
  context: DeployContext,
  app: ManagedApp,
  { release, fresh, signal }: { release: string; fresh: boolean; signal: AbortSignal },
): Promise<void> {
  const found = await findRelease(context, app, release);
  const loading = loadRelease(context, app, { release: found, check: true, fresh });
  const { functions } = await unlessAborted(loading, signal).catch((error: unknown) => {
    if (signal.aborted) void loading.then(() => app.host.discard(release)).catch(() => {});
    throw error;
  });
  const failed = functions.find((entry) => entry.error !== null);
  if (failed === undefined) return;
  const { file, line, message } = failed.error ?? { file: null, line: null, message: 'it did not load' };
  const place = file === null ? failed.name : `${file}${line === null ? '' : `:${line}`}`;
  throw new FnrunError('FN_BOOT_CHECK', `Release ${release} does not load any more: ${place}: ${message}`, {
    hint: `what was live goes on; choose another release: fnrun deploys ${app.name}`,
  });
}

type Target = DeploymentRecord & { release: string };

async function findTarget(
  context: DeployContext,
  app: ManagedApp,
  { request, live }: { request: SwitchRequest; live: LiveRelease },
): Promise<Target> {
  const { store } = context;
  const [deployments, releases] = await Promise.all([
    store.listDeployments(app.name, { limit: deployLimits.deploymentsKept }),
    store.listReleases(app.name),
  ]);
  const onDisk = new Set(releases.map((release) => release.id));
  const past = deployments.filter(
    (one): one is Target => one.state === 'succeeded' && one.release !== null && onDisk.has(one.release),
  );
  if (request.release !== null) return named(past, { request, prefix: request.release, live, app: app.name });
  const target =
    request.source === 'redeploy' ? past.find((one) => one.release === live.release) : previous(past, live.release);
  if (target !== undefined) return target;
  throw new FnrunError('FN_NO_SUCH_RELEASE', `${app.name} has no release before the live one (${live.release})`, {
    hint: `see: fnrun deploys ${app.name}`,
  });
}

/** The release that was pushed, or got its environment, before the one that is live. `past` newest first. */
export function previous<T extends { release: string | null; source: DeploymentSource; note?: string | null }>(
  past: readonly T[],
  live: string,
): T | undefined {
  // Counted along what was new: a rollback after a rollback goes further back, not forth again.
  const steps = past.filter((one) => one.source === 'push' || one.source === 'env');
  const at = steps.findIndex((one) => one.release === live);
  // One that was taken back for its failures is nothing to go back to.
  const bad = new Set(steps.filter((one) => (one.note ?? null) !== null).map((one) => one.release));
  return steps.slice(at + 1).find((one) => one.release !== live && !bad.has(one.release));
}

function named(
  past: readonly Target[],
  { request, prefix, live, app }: { request: SwitchRequest; prefix: string; live: LiveRelease; app: string },
): Target {
  const fitting = past.filter((one) => one.release.startsWith(prefix));
  const ids = new Set(fitting.map((one) => one.release));
  const [target] = fitting;
  const hint = `see: fnrun deploys ${app}`;
  if (target === undefined || prefix === '') {
    throw new FnrunError('FN_NO_SUCH_RELEASE', `${app} has no release ${prefix} that can go live`, { hint });
  }
  if (ids.size > 1) {
    throw new FnrunError('FN_NO_SUCH_RELEASE', `${ids.size} releases of ${app} start with ${prefix}`, { hint });
  }
  if (request.source === 'rollback' && target.release === live.release) {
    throw new FnrunError('FN_ALREADY_LIVE', `Release ${target.release} is the live one`, {
      hint: `to start its workers afresh: fnrun redeploy ${app}`,
    });
  }
  return target;
}
