import { domainLimits } from '../../runtime/contract/limits.ts';
import type { Account } from '../account/account.ts';
import { ms, tell } from '../account/lines.ts';
import type { DeployContext, ManagedApp } from '../context.ts';

/**
 * Waits until nginx has what it must know of the app's live release, and tells how it went when that took time or did not
 * go well. Resolves to how long it took, in ms: next to nothing where nobody looks after nginx, or nginx knows all that
 * already; `domainLimits.pushWaitMs` at most.
 */
export async function awaitNginx(
  context: Pick<DeployContext, 'root' | 'sites' | 'now'>,
  app: Pick<ManagedApp, 'name' | 'previewOf'>,
  account: Account,
): Promise<number> {
  const startedAtMs = context.now();
  const tookMs = (): number => context.now() - startedAtMs;
  const owner = app.previewOf ?? app.name;
  const request = await context.sites().requestOf(owner);
  if (request === null) return tookMs();
  const before = await context.root.outcome();
  if (before !== null && before.request >= request) return tookMs();
  tell(account, 'waiting', 'for nginx to have its site');
  const outcome = await context.root.outcomeOf(request, { deadlineMs: domainLimits.pushWaitMs });
  if (outcome === null) {
    const text = `nginx has not followed after ${ms(tookMs())}, and will; see: fnrun domains ${owner}`;
    tell(account, 'note', text);
    return tookMs();
  }
  // That a name is another app's has been told.
  const taken =
    context
      .sites()
      .list()
      .find((site) => site.app === owner)?.taken ?? [];
  const problems = outcome.parts
    .flatMap((part) => part.problems)
    .filter(({ app: whose, subject }) => whose === owner && !taken.includes(subject));
  for (const { subject, message, hint } of problems) {
    tell(account, 'warning', `nginx: ${subject}: ${message}${hint === null ? '' : `; ${hint}`}`, 'yellow');
  }
  if (problems.length === 0) tell(account, 'nginx', `has its site (${ms(tookMs())})`);
  return tookMs();
}
