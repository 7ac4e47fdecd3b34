import { domainLimits } from '../../runtime/contract/limits.ts';
import type { SyncOutcome, SyncProblem } from '../../router/control/domain-types.ts';
import type { Account } from '../account/account.ts';
import { ms, tell } from '../account/lines.ts';
import type { DeployContext, ManagedApp } from '../context.ts';

type Context = Pick<DeployContext, 'root' | 'sites' | 'now'>;
type App = Pick<ManagedApp, 'name' | 'previewOf'>;

/** The request to root in which nginx has yet to follow the app's site; null: it knows all, or nobody looks after it. */
export async function pendingRequest({ root, sites }: Context, app: App): Promise<number | null> {
  const request = await sites().requestOf(ownerOf(app));
  if (request === null) return null;
  const outcome = await root.outcome();
  return outcome === null || outcome.request < request ? request : null;
}

/**
 * Waits until root has got to `request`, and tells how it went. Resolves to how long it took, in ms: `domainLimits.pushWaitMs` at
 * most.
 */
export async function awaitNginx(
  context: Context,
  app: App,
  { request, account }: { request: number; account: Account },
): Promise<number> {
  const startedAtMs = context.now();
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

/** Those of the app, and of nginx as a whole. That a name is another app's has been told. */
function problemsOf(outcome: SyncOutcome, { sites }: Context, app: App): SyncProblem[] {
  const owner = ownerOf(app);
  const taken = sites().takenFrom(owner);
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
