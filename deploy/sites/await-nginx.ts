import { domainLimits } from '../../runtime/contract/limits.ts';
import type { SyncOutcome, SyncProblem } from '../../router/control/domain-types.ts';
import type { Account } from '../account/account.ts';
import { ms, tell } from '../account/lines.ts';
import type { DeployContext, ManagedApp } from '../context.ts';

type Context = Pick<DeployContext, 'root' | 'sites' | 'now'>;
type App = Pick<ManagedApp, 'name' | 'previewOf'>;

/** Whether root has yet to do what the last change of the app's site asks of it. */
export async function nginxMustFollow(context: Context, app: App): Promise<boolean> {
  return (await pendingRequest(context, app)) !== null;
}

/**
 * Waits until nginx has what it must know of the app's live release, and tells how it went when that took time or did not
 * go well. Resolves to how long it took, in ms: next to nothing where nobody looks after nginx, or nginx knows all that
 * already; `domainLimits.pushWaitMs` at most.
 */
export async function awaitNginx(context: Context, app: App, account: Account): Promise<number> {
  const startedAtMs = context.now();
  const request = await pendingRequest(context, app);
  if (request === null) return 0;
  tell(account, 'waiting', 'for nginx to have its site');
  const outcome = await context.root.outcomeOf(request, { deadlineMs: domainLimits.pushWaitMs });
  const tookMs = context.now() - startedAtMs;
  if (outcome === null) {
    const owner = ownerOf(app);
    tell(
      account,
      'note',
      `nginx or its certificate is not ready after ${ms(tookMs)}, and will be; see: fnrun domains ${owner}`,
    );
    return tookMs;
  }
  const problems = problemsOf(outcome, context, app);
  for (const { subject, message, hint } of problems) {
    tell(account, 'warning', `nginx: ${subject}: ${message}${hint === null ? '' : `; ${hint}`}`, 'yellow');
  }
  if (problems.length === 0) tell(account, 'nginx', `has its site (${ms(tookMs)})`);
  return tookMs;
}

/** Null: there is nothing to wait for. */
async function pendingRequest({ root, sites }: Context, app: App): Promise<number | null> {
  const request = await sites().requestOf(ownerOf(app));
  if (request === null) return null;
  const outcome = await root.outcome();
  return outcome === null || outcome.request < request ? request : null;
}

/** Those of the app, and of nginx as a whole. That a name is another app's has been told. */
function problemsOf(outcome: SyncOutcome, { sites }: Context, app: App): SyncProblem[] {
  const owner = ownerOf(app);
  const taken =
    sites()
      .list()
      .find((site) => site.app === owner)?.taken ?? [];
  return outcome.parts.flatMap(({ id, problems }) =>
    problems.filter(({ app: whose, subject }) =>
      whose === null ? id === 'nginx' || id === 'apps' : whose === owner && !taken.includes(subject),
    ),
  );
}

/** A preview's names are in the site of its app. */
function ownerOf({ name, previewOf }: App): string {
  return previewOf ?? name;
}
