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

/**
 * The request to root with the app's site of which there is something to tell: it is not done, certificates and all, or the app
 * was not live before (`first`). Null: there is not, or nobody looks after nginx.
 */
export async function requestToTell(
  { root, sites }: Context,
  app: App,
  { first }: { first: boolean },
): Promise<number | null> {
  const request = await sites().requestOf(ownerOf(app));
  if (request === null || first) return request;
  const outcome = await root.outcome();
  return outcome === null || outcome.request < request ? request : null;
}

/**
 * Waits until nginx has followed `request`, and for the app's certificates when it has none yet; tells how it went. Resolves
 * to how long it took, in ms: `domainLimits.pushWaitMs` and `pushCertificateMs` at most.
 */
export async function awaitNginx(context: Context, app: App, waiting: Waiting): Promise<number> {
  const { request, account } = waiting;
  const startedAtMs = context.now();
  const tookMs = (): number => context.now() - startedAtMs;
  const isServed = ((await context.root.served())?.request ?? 0) >= request;
  if (!isServed) tell(account, 'waiting', 'for nginx to have its site');
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
  const isSigned = ({ parts }: SyncOutcome): boolean => {
    const nginx = parts.find(({ id }) => id === 'nginx');
    return nginx?.unsigned?.[app.name] === undefined && nginx?.problems.every((one) => one.app !== null) === true;
  };
  const told = await root.allAt(request, {
    deadlineMs: domainLimits.pushCertificateMs,
    silentMs: domainLimits.certificateTellMs,
    orServed: isSigned,
    onWait: () => tell(account, 'waiting', 'for its certificate'),
  });
  const problems = (told?.parts.find(({ id }) => id === 'certificates')?.problems ?? []).filter(
    (one) => one.app === null || (one.app === ownerOf(app) && unsigned.includes(one.subject)),
  );
  tellProblems(account, 'certificate', problems);
  if (problems.length > 0) return;
  if (told !== null && isSigned(told)) return tell(account, 'certificate', `is there (${ms(now() - startedAtMs)})`);
  const see = `see: fnrun domains ${ownerOf(app)}`;
  tell(account, 'note', `its certificate is not there yet, and until then browsers warn of its https; ${see}`);
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
  const parts = outcome.parts.filter(({ id }) => id !== 'certificates');
  return parts.flatMap(({ id, problems }) =>
    problems.filter(({ app: whose, subject }) =>
      whose === null ? id === 'nginx' || id === 'apps' : whose === owner && !taken.includes(subject),
    ),
  );
}

/** A preview's names are in the site of its app. */
function ownerOf({ name, previewOf }: App): string {
  return previewOf ?? name;
}
