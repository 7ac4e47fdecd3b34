import { domainLimits } from '../../runtime/contract/limits.ts';
import type { SyncOutcome, SyncProblem } from '../../router/control/domain-types.ts';
import type { Account } from '../account/account.ts';
import { ms, tell } from '../account/lines.ts';
import type { DeployContext, ManagedApp } from '../context.ts';

type Context = Pick<DeployContext, 'root' | 'sites' | 'now'>;
type App = Pick<ManagedApp, 'name' | 'previewOf'>;
interface Waiting {
  request: number;
  account: Account;
}

/** The request to root in which nginx has yet to follow the app's site; null: it knows all, or nobody looks after it. */
export async function pendingRequest({ root, sites }: Context, app: App): Promise<number | null> {
  const request = await sites().requestOf(ownerOf(app));
  if (request === null) return null;
  const served = await root.served();
  return served === null || served.request < request ? request : null;
}

/**
 * Waits until nginx has followed `request`, and for the app's certificates when it has none yet; tells how it went. Resolves
 * to how long it took, in ms: `domainLimits.pushWaitMs` and `pushCertificateMs` at most.
 */
export async function awaitNginx(context: Context, app: App, waiting: Waiting): Promise<number> {
  const { request, account } = waiting;
  const startedAtMs = context.now();
  const tookMs = (): number => context.now() - startedAtMs;
  tell(account, 'waiting', 'for nginx to have its site');
  const served = await context.root.servedAt(request, { deadlineMs: domainLimits.pushWaitMs });
  if (served === null) {
    tell(account, 'note', `nginx is not ready after ${ms(tookMs())}, and will be; see: fnrun domains ${ownerOf(app)}`);
    return tookMs();
  }
  const problems = problemsOf(served, context, app);
  tellProblems(account, 'nginx', problems);
  if (problems.length > 0) return tookMs();
  tell(account, 'nginx', `has its site (${ms(tookMs())})`);
  const unsigned = served.parts.flatMap((part) => part.unsigned?.[app.name] ?? []);
  if (unsigned.length > 0) await awaitCertificates(context, app, { ...waiting, unsigned });
  return tookMs();
}

/** Who pushes opens the URL next, and a browser warns of it until then. */
async function awaitCertificates(
  { root, now }: Context,
  app: App,
  { request, account, unsigned }: Waiting & { unsigned: readonly string[] },
): Promise<void> {
  const startedAtMs = now();
  const { certificateTellMs: silentMs, pushCertificateMs } = domainLimits;
  let outcome = await root.outcomeOf(request, { deadlineMs: silentMs });
  if (outcome === null) {
    tell(account, 'waiting', 'for its certificate');
    outcome = await root.outcomeOf(request, { deadlineMs: pushCertificateMs - silentMs });
  }
  if (outcome === null) {
    const see = `see: fnrun domains ${ownerOf(app)}`;
    tell(account, 'note', `its certificate is not there yet, and until then browsers warn of its https; ${see}`);
    return;
  }
  const { parts } = outcome;
  const problems = parts.flatMap((part) => part.problems).filter(({ subject }) => unsigned.includes(subject));
  tellProblems(account, 'certificate', problems);
  const issuers = unsigned.map((name) => parts.map((part) => part.certificates?.[name]?.issuer ?? null));
  if (issuers.every((one) => one.some((issuer) => issuer !== null))) {
    tell(account, 'certificate', `is there (${ms(now() - startedAtMs)})`);
  }
}

function tellProblems(account: Account, about: string, problems: readonly SyncProblem[]): void {
  for (const { subject, message, hint } of problems) {
    tell(account, 'warning', `${about}: ${subject}: ${message}${hint === null ? '' : `; ${hint}`}`, 'yellow');
  }
}

/** Those of the app, and of nginx as a whole. That a name is another app's has been told. */
function problemsOf(outcome: SyncOutcome, { sites }: Context, app: App): SyncProblem[] {
  const owner = ownerOf(app);
  const taken = sites().takenFrom(owner);
  return outcome.parts.flatMap(({ id, problems }) =>
    id === 'certificates'
      ? []
      : problems.filter(({ app: whose, subject }) =>
          whose === null ? id === 'nginx' || id === 'apps' : whose === owner && !taken.includes(subject),
        ),
  );
}

/** A preview's names are in the site of its app. */
function ownerOf({ name, previewOf }: App): string {
  return previewOf ?? name;
}
