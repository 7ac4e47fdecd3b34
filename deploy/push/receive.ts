import type { ReceiveBody, RefUpdate } from '../../router/control/types.ts';
import type { Account } from '../account/account.ts';
import { tellFailure } from '../account/failure.ts';
import { tell } from '../account/lines.ts';
import type { DeployContext, ManagedApp } from '../context.ts';
import { readRef } from '../git/refs.ts';
import type { Quarantine } from '../git/run.ts';
import { refreshPreviewEnv } from '../previews/preview-env.ts';
import { Rejection } from '../rejection.ts';
import { deployUpdate } from './deploy-update.ts';
import { judgeUpdates, productionBranch } from './updates.ts';
import { describeGrant, mayMove } from '../keys/grant.ts';
import type { KeyRecord } from '../store/store.ts';

/** A push as the pre-receive hook hands it over. */
export interface Push extends Omit<ReceiveBody, 'quarantine'> {
  /** Null for a push that brings no objects: a deletion, or commits that are there already. */
  quarantine: Quarantine | null;
  /** The ssh key that it came by; null: the server's own user. */
  key: KeyRecord | null;
  account: Account;
  /** Aborts when the hook is gone. */
  gone: AbortSignal;
}

/**
 * Decides on a push. `push.account` ends with `ok` when git may move the refs; for the
 * production branch a candidate is built and checked by then. The work goes on after that:
 * as soon as the ref has moved, the candidate goes live (told in `app.activation.account`).
 * Never rejects.
 */
export async function receivePush(context: DeployContext, app: ManagedApp, push: Push): Promise<void> {
  try {
    refuseRefs(push);
    context.onStep?.('received');
    const production = await productionOf(app, push.updates);
    const verdicts = judgeUpdates(push.updates, {
      app: app.name,
      production,
      previews: context.previews().policy.perApp > 0,
    });
    const refused = verdicts.find((verdict) => verdict.kind === 'reject');
    if (refused !== undefined) throw new Rejection(refused.line, refused);
    for (const verdict of verdicts) if (verdict.kind === 'store') tell(push.account, verdict.label, verdict.line);
    const deploy = verdicts.find((verdict) => verdict.kind === 'deploy' || verdict.kind === 'preview');
    if (deploy === undefined) push.account.end(true);
    else if (deploy.kind === 'deploy') await deployUpdate(context, app, { push, update: deploy.update });
    else await deployPreview(context, app, { push, update: deploy.update });
  } catch (error) {
    tellFailure(push.account, error);
    push.account.end(false);
  }
}

/** A first push that does not go live leaves no preview behind. */
async function deployPreview(
  context: DeployContext,
  app: ManagedApp,
  { push, update }: { push: Push; update: RefUpdate },
): Promise<void> {
  const previews = context.previews();
  const preview = await previews.ensure(app, update.ref);
  await refreshPreviewEnv(context, { app, preview });
  await deployUpdate(context, preview, { push, update });
  if (preview.live === null && preview.running.size === 0) await previews.removeOf(app, [update.ref]);
}

/** Only what the key is for: one ref that it may not move rejects the whole push. */
function refuseRefs({ key, updates }: Push): void {
  if (key === null) return;
  const refused = updates.find((update) => !mayMove(key, update.ref));
  if (refused === undefined) return;
  throw new Rejection(`the key ${JSON.stringify(key.name)} may not push ${refused.ref}: it ${describeGrant(key)}`, {
    hint: 'push what the key is for, or ask for another one: fnrun keys add, on the server',
  });
}

/** Full name of the branch that deploys, when these refs are pushed. */
async function productionOf(app: ManagedApp, updates: readonly RefUpdate[]): Promise<string> {
  if (app.branch !== null) return `refs/heads/${app.branch}`;
  const names = ['refs/heads/main', 'refs/heads/master'];
  const at = await Promise.all(names.map((name) => readRef(app.paths.repository, name)));
  return productionBranch(new Set(names.filter((_, index) => at[index] !== null)), updates);
}
