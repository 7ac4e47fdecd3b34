import { readFile } from 'node:fs/promises';
import type { AccountEvent, DeploymentDetailBody, FunctionSizeBody } from '../router/control/types.ts';
import { FnrunError } from '../runtime/contract/errors.ts';
import { deployLimits } from '../runtime/contract/limits.ts';
import type { DeployContext, ManagedApp } from './context.ts';
import { accountPath } from './paths.ts';
import { presentDeployment } from './present.ts';
import { Rejection } from './rejection.ts';
import { findRelease, readBuildManifest, releaseDir } from './release-ref.ts';
import type { DeploymentRecord } from './store/store.ts';

/** Rejects with FN_NO_SUCH_DEPLOYMENT. */
export async function findDeployment(context: DeployContext, app: ManagedApp, id: string): Promise<DeploymentRecord> {
  const deployment = /^[0-9a-f]{16}$/.test(id) ? await context.store.getDeployment(id) : null;
  if (deployment !== null && deployment.app === app.name) return deployment;
  throw new FnrunError('FN_NO_SUCH_DEPLOYMENT', `${app.name} has no deployment ${id}`, {
    hint: `see: fnrun deploys ${app.name}`,
  });
}

/** A deployment with the sizes of what it made live. */
export async function describeDeployment(
  context: DeployContext,
  app: ManagedApp,
  id: string,
): Promise<DeploymentDetailBody> {
  const deployment = await findDeployment(context, app, id);
  const known = await context.store.listDeployments(app.name, { limit: deployLimits.deploymentsKept });
  const before = known.find(
    (one) => one.id < id && one.state === 'succeeded' && one.release !== null && one.release !== deployment.release,
  );
  const [now, then] = await Promise.all([
    sizes(context, app, deployment.release),
    sizes(context, app, before?.release ?? null),
  ]);
  return {
    ...presentDeployment(app.running.get(id)?.deployment ?? deployment, app.live),
    functions: now && compareSizes(now, then ?? new Map()),
  };
}

/** What a deployment told so far. */
export async function readAccount(context: DeployContext, app: ManagedApp, id: string): Promise<string> {
  await findDeployment(context, app, id);
  return await readFile(accountPath(app.paths, id), 'utf8').catch(() => '');
}

/** What a deployment told and tells, to its end or until `signal` aborts. */
export async function* followAccount(
  context: DeployContext,
  app: ManagedApp,
  { id, signal }: { id: string; signal: AbortSignal },
): AsyncGenerator<AccountEvent, void> {
  const running = app.running.get(id);
  if (running !== undefined) return yield* running.log.follow(signal);
  const { state } = await findDeployment(context, app, id);
  const text = await readAccount(context, app, id);
  for (const line of text.split('\n').slice(0, -1)) yield { type: 'line', text: line };
  yield { type: 'end', ok: state === 'succeeded' };
}

/** Ends a deployment that is not accepted yet. Rejects with FN_NO_SUCH_DEPLOYMENT or FN_TOO_LATE. */
export async function cancelDeployment(context: DeployContext, app: ManagedApp, id: string): Promise<DeploymentRecord> {
  const running = app.running.get(id);
  const { state } = await findDeployment(context, app, id);
  const why = new Rejection(`with fnrun deploys ${app.name} --cancel; what was live goes on`, {
    label: 'cancelled',
    record: 'Cancelled by fnrun deploys --cancel',
    state: 'cancelled',
  });
  if (running?.stop(why) !== true) {
    const what = running === undefined ? `has ended: ${state}` : 'has been accepted';
    throw new FnrunError('FN_TOO_LATE', `Deployment ${id} of ${app.name} ${what}`, {
      hint: `to go back to the release before: fnrun rollback ${app.name}`,
    });
  }
  for await (const event of running.log.follow(context.signal)) if (event.type === 'end') break;
  return running.deployment;
}

/** In the order of the manifest; what is gone comes last. */
export function compareSizes(
  now: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
): FunctionSizeBody[] {
  const there = [...now].map(([name, bytes]) => ({ name, bytes, bytesBefore: before.get(name) ?? null }));
  const gone = [...before].filter(([name]) => !now.has(name));
  return [...there, ...gone.map(([name, bytesBefore]) => ({ name, bytes: null, bytesBefore }))];
}

async function sizes(
  context: DeployContext,
  app: ManagedApp,
  release: string | null,
): Promise<Map<string, number> | null> {
  if (release === null) return null;
  try {
    const { functions } = await readBuildManifest(releaseDir(app, await findRelease(context, app, release)));
    return new Map(functions.map(({ name, bytes }) => [name, bytes]));
  } catch {
    // Deleted since, or never written.
    return null;
  }
}
