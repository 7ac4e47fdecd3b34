import { existsSync } from 'node:fs';
import { FnrunError } from '../runtime/contract/errors.ts';
import { deployLimits } from '../runtime/contract/limits.ts';
import { AccountFile } from './account/account-file.ts';
import type { DeployContext, ManagedApp } from './context.ts';
import { accountPath } from './paths.ts';
import { readRef } from './git/refs.ts';
import { linkLive } from './live-link.ts';
import type { StepsMs } from '../router/control/types.ts';
import type { DeploymentRecord } from './store/store.ts';
import { findRelease, loadRelease, releaseDir, releaseRef } from './release-ref.ts';
import { describeLive, switchTo } from './switch.ts';
import { Account } from './account/account.ts';

/**
 * Makes live release, record and ref agree after the daemon ended at any point: an accepted
 * push whose ref has moved goes live, everything else that was under way has failed.
 * Runs before the app takes connections; starts no app host.
 */
export async function reconcile(context: DeployContext, app: ManagedApp): Promise<void> {
  const { store } = context;
  const deployments = await store.listDeployments(app.name, { limit: deployLimits.deploymentsKept });
  for (const deployment of deployments.toReversed()) {
    if (deployment.state === 'running') await settle(context, app, deployment);
  }
  const liveDeployment = (await store.getApp(app.name))?.liveDeployment ?? null;
  const live = liveDeployment === null ? null : await store.getDeployment(liveDeployment);
  if (live === null || live.release === null) return;
  try {
    app.host.setLive(await releaseRef(context, app, await findRelease(context, app, live.release)));
    app.live = await describeLive(context, app, live);
    context.sites().changed();
    await linkLive(context, app);
  } catch (error) {
    // Its variables are lost with the key. Without them it must not serve; the operator can set them anew.
    if (!(error instanceof FnrunError) || error.code !== 'FN_SECRET_KEY') throw error;
    context.log(`${app.name}: is not served: ${error.message}; ${error.hint}`);
  }
}

async function settle(context: DeployContext, app: ManagedApp, deployment: DeploymentRecord): Promise<void> {
  const { store } = context;
  const finishedAtMs = context.now();
  const durationMs = finishedAtMs - deployment.startedAtMs;
  if (await mayGoLive(context, app, deployment)) {
    await store.goLive(deployment.id, { finishedAtMs, durationMs });
    context.log(`${app.name}: release ${deployment.release} is live: its push was accepted before the server ended`);
    return;
  }
  const error = `The server ended during this deployment (${deployment.step})`;
  await store.updateDeployment(deployment.id, { state: 'failed', finishedAtMs, durationMs, error });
  const file = new AccountFile(accountPath(app.paths, deployment.id));
  file.write(`rejected    ${error}`);
  file.close();
  context.log(`${app.name}: deployment ${deployment.id} has failed: the server ended during it`);
}

async function mayGoLive(context: DeployContext, app: ManagedApp, deployment: DeploymentRecord): Promise<boolean> {
  const { source, step, release, ref, commit } = deployment;
  if (source !== 'push' || step !== 'accepted' || release === null) return false;
  const record = await context.store.getRelease(app.name, release);
  if (record === null || !existsSync(releaseDir(app, record))) return false;
  return (await readRef(app.paths.repository, ref)) === commit;
}

/**
 * The post-receive hook of a push that this daemon did not accept (it was restarted between
 * accept and the move of the ref): makes live what the ref stands at, if that is not so yet.
 */
export async function activateRef(
  context: DeployContext,
  app: ManagedApp,
  { commit, account }: { commit: string; account: Account },
): Promise<boolean> {
  return await app.lane.run(async () => {
    if (app.live?.commit === commit) return true;
    const deployments = await context.store.listDeployments(app.name, { limit: deployLimits.deploymentsKept });
    const newest = deployments.find((one) => one.source === 'push' && one.commit === commit);
    const superseded = deployments.some(
      (one) => one.state === 'succeeded' && newest !== undefined && one.id > newest.id,
    );
    const release = newest?.release ?? null;
    if (newest === undefined || release === null || superseded) return false;
    const record = await context.store.getRelease(app.name, release);
    if (record === null) return false;
    if ((await readRef(app.paths.repository, newest.ref)) !== commit) return false;
    await loadRelease(context, app, { release: record, check: false });
    const startedAtMs = context.now();
    const stepsMs = (): StepsMs => newest.stepsMs;
    await switchTo(context, app, { deployment: newest, release, loaded: true, account, stepsMs, startedAtMs });
    return true;
  });
}

/**
 * The last look of a start, when hooks are answered: a push that the server before accepted may have moved
 * its ref after `reconcile` had looked and before its post-receive hook could reach this server.
 */
export async function activateMissed(context: DeployContext, app: ManagedApp): Promise<void> {
  const [newest] = await context.store.listDeployments(app.name, { limit: 1 });
  if (newest === undefined || newest.source !== 'push' || newest.step !== 'accepted' || newest.state !== 'failed')
    return;
  if ((await readRef(app.paths.repository, newest.ref)) !== newest.commit) return;
  if (await activateRef(context, app, { commit: newest.commit, account: new Account() })) {
    context.log(`${app.name}: release ${newest.release} is live: its push was accepted before the server ended`);
  }
}
