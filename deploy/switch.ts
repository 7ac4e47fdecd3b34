import type { ProbeFailure } from '../runtime/contract/ipc.ts';
import type { Account } from './account/account.ts';
import { describeError, ms, tell, tellLive } from './account/lines.ts';
import type { DeployContext, LiveRelease, ManagedApp } from './context.ts';
import { pointHead } from './git/refs.ts';
import { linkLive } from './live-link.ts';
import { findRelease, releaseDir, releaseRef, withoutSecrets } from './release-ref.ts';
import { keepHouse } from './retention.ts';
import { defaultLiveSettings, readLiveSettings, type LiveSettings } from './sites/live-settings.ts';
import type { DeploymentRecord, ReleaseRecord } from './store/store.ts';
import type { StepsMs } from '../router/control/types.ts';

/** A release that is ready to go live. */
export interface SwitchOptions {
  deployment: DeploymentRecord;
  release: string;
  /** Whether the app host has it loaded. */
  loaded: boolean;
  account: Account;
  /** How long the deployment was at each step so far. */
  stepsMs: () => StepsMs;
  /** When the pusher began; the account's total counts from here. ms since the epoch. */
  startedAtMs: number;
  /** The app's requests when its check began; null: nothing is told about them. */
  requests?: RequestCount | null;
}

/** What an app's process has counted. */
export interface RequestCount {
  pid: number | null;
  /** Answered, well or not. */
  done: number;
  failed: number;
}

/** Makes a release the live one, and tells that it is. */
export async function switchTo(context: DeployContext, app: ManagedApp, options: SwitchOptions): Promise<void> {
  const { finishedAtMs } = await serveRelease(context, app, options);
  tellServed(context, app, { ...options, finishedAtMs });
}

/**
 * Makes a release the live one: first in the app host, then in the store. A crash between the
 * two is mended at the next start (see reconcile.ts): an accepted push whose ref has moved goes live.
 * Where it answers is left to tell (`tellServed`).
 */
export async function serveRelease(
  context: DeployContext,
  app: ManagedApp,
  options: SwitchOptions,
): Promise<{ finishedAtMs: number }> {
  const { deployment, release, account } = options;
  const before = app.live;
  const stats = await app.host.stats().catch(() => null);
  if (options.loaded) await activate(context, app, release);
  const meanwhile = options.loaded ? difference(options.requests ?? null, await countRequests(app)) : null;
  const finishedAtMs = context.now();
  const durationMs = finishedAtMs - deployment.startedAtMs;
  context.onStep?.('switched');
  const stepsMs = options.stepsMs();
  const record = (): Promise<void> => context.store.goLive(deployment.id, { finishedAtMs, durationMs, stepsMs });
  try {
    await record();
  } catch (error) {
    // It serves, and the ref is there: that is not taken back. On record it is accepted, and so will be made
    // live by the next start, if not by the next deployment.
    app.unrecorded.push(record);
    tell(account, 'warning', `that this is live cannot be recorded yet: ${describeError(error).line}`);
    context.log(`${app.name}: cannot record that ${release} is live: ${describeError(error).line}`);
  }
  context.onStep?.('recorded');
  app.live = await describeLive(context, app, { ...deployment, release, finishedAtMs });
  await followDomains(context, app);
  await linkLive(context, app);
  app.activations += 1;
  if (meanwhile !== null) tell(account, 'switched', meanwhile);
  tellTaken(context, app, account);
  const isNew = deployment.source === 'push' || deployment.source === 'env';
  if (before === null || !options.loaded || !isNew) app.unwatch?.();
  else void context.watch(app, { before, stats, deployment: deployment.id });
  return { finishedAtMs };
}

/** Tells where a release answers, and how long all of it took. */
export function tellServed(
  context: Pick<DeployContext, 'urlOf'>,
  app: Pick<ManagedApp, 'name'>,
  {
    account,
    release,
    startedAtMs,
    finishedAtMs,
  }: Pick<SwitchOptions, 'account' | 'release' | 'startedAtMs'> & { finishedAtMs: number },
): void {
  tellLive(account, { url: context.urlOf(app.name), app: app.name, release });
  tell(account, 'total', ms(finishedAtMs - startedAtMs));
}

/** Who has which name may be another from now on. */
async function followDomains({ sites, store, log }: DeployContext, app: ManagedApp): Promise<void> {
  try {
    sites().setClaims(await store.listClaims());
  } catch (error) {
    log(`${app.name}: cannot read who has which host name: ${describeError(error).line}`);
    sites().changed();
  }
}

function tellTaken({ sites }: DeployContext, app: ManagedApp, account: Account): void {
  for (const name of sites().takenFrom(app.name)) {
    const owner = sites().ownerOf(name);
    tell(account, 'warning', `${name} is the app ${owner}'s and stays so: take it out of fnrun.json, or from that app`);
  }
}

/** How many requests the running process of an app has answered; null when none runs. */
export async function countRequests(app: Pick<ManagedApp, 'host'>): Promise<RequestCount | null> {
  const stats = await app.host.stats().catch(() => null);
  if (stats === null) return null;
  return { pid: app.host.status().pid, done: stats.requests - stats.inFlight, failed: stats.failures };
}

/** `0 of 214 requests failed during the switch`; null when there were none, or another process has taken over. */
function difference(from: RequestCount | null, to: RequestCount | null): string | null {
  if (from === null || to === null || from.pid !== to.pid || to.done === from.done) return null;
  return `${to.failed - from.failed} of ${to.done - from.done} requests failed during the switch`;
}

/** `2 functions do not answer their checks` */
export function failedChecks(failed: readonly ProbeFailure[]): string {
  return failed.length === 1
    ? `the function ${failed[0]!.name} does not answer its check`
    : `${failed.length} functions do not answer their checks`;
}

/** Housekeeping that no pusher waits for, but the app's next deployment does. */
export async function afterSwitch(context: DeployContext, app: ManagedApp): Promise<void> {
  try {
    // The repository of a preview is its app's.
    if (app.previewOf === null) await pointHead(app.paths.repository, app.production);
    await keepHouse(context, app);
  } catch (error) {
    context.log(`${app.name}: housekeeping failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What serves after a deployment. */
export async function describeLive(
  context: DeployContext,
  app: Pick<ManagedApp, 'name' | 'previewOf' | 'paths'>,
  deployment: Pick<DeploymentRecord, 'id' | 'commit' | 'release' | 'finishedAtMs'>,
): Promise<LiveRelease | null> {
  if (deployment.release === null) return null;
  const release = await context.store.getRelease(app.name, deployment.release);
  return {
    release: deployment.release,
    env: release?.env ?? null,
    deployment: deployment.id,
    commit: deployment.commit,
    functions: release?.functions ?? 0,
    // A preview has a host name of its own, and none of its app's.
    domains: app.previewOf === null ? (release?.domains ?? []) : [],
    settings: await liveSettings(context, app, release),
    sinceMs: deployment.finishedAtMs ?? context.now(),
  };
}

/** nginx goes on with the usual ones when a manifest cannot be read: no reason not to serve. */
async function liveSettings(
  { log }: DeployContext,
  app: Pick<ManagedApp, 'name' | 'paths'>,
  release: ReleaseRecord | null,
): Promise<LiveSettings> {
  if (release === null) return defaultLiveSettings;
  return await readLiveSettings(releaseDir(app, release), { release: release.id }).catch((error: Error) => {
    log(`${app.name}: cannot read what nginx must know of ${release.id}: ${error.message}`);
    return defaultLiveSettings;
  });
}

async function activate(context: DeployContext, app: ManagedApp, release: string): Promise<void> {
  const ref = await releaseRef(context, app, await findRelease(context, app, release));
  try {
    await app.host.activate(ref);
  } catch {
    // The host may have died since the boot check; its successor knows only the old release.
    await withoutSecrets(app, async () => {
      await app.host.load(ref, { check: false });
      await app.host.activate(ref);
    });
  }
}
