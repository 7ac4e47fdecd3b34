import type { SyncOutcome, SyncPartOutcome, SyncProblem } from '../../router/control/domain-types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { domainLimits } from '../../runtime/contract/limits.ts';
import { openFolder, type HeldFolder } from './folder.ts';
import type { Ask, SlowPart, SyncContext, SyncPart } from './part.ts';
import { Rounds } from './rounds.ts';
import { readServerFile } from './server-file.ts';
import { checkSites } from './sites.ts';

/** What root's side is made of. */
export interface SyncOptions {
  /** Absolute path of `<home>/run`. */
  run: string;
  /** /etc/fnrun/server.json */
  serverFile: string;
  ask: Ask;
  parts: readonly SyncPart[];
  /** After the others, which go on beside them. */
  slow: readonly SlowPart[];
  log: (line: string) => void;
  /** ms since the epoch. */
  now: () => number;
  signal: AbortSignal;
}

/**
 * Does once what root does for the server, and again while the daemon has asked meanwhile; writes the outcome to
 * `<run>/sync.json` and resolves to it. What `parts` did is in `<run>/sync-served.json` as soon as it is done, and while a
 * slow part is at work they follow what the daemon asks: no app waits for another's certificate. What cannot be done is
 * told there. Rejects when even that cannot be written.
 */
export async function runSync(options: SyncOptions): Promise<SyncOutcome> {
  const { signal } = options;
  await using folder = await openFolder(options.run);
  const endsAt = performance.now() + domainLimits.rerunMs;
  for (let runs = 1; ; runs += 1) {
    const { outcome, rounds } = await runOnce(options, folder);
    await write(folder, { name: 'sync.json', outcome });
    if (signal.aborted || (await readRequest(folder)) === outcome.request) return outcome;
    if (runs < domainLimits.runsMax && performance.now() < endsAt) continue;
    // Its certificates are for the next run, which the daemon asks for.
    await rounds.next();
    return outcome;
  }
}

async function runOnce(options: SyncOptions, folder: HeldFolder): Promise<{ outcome: SyncOutcome; rounds: Rounds }> {
  const { now, log } = options;
  const startedAt = iso(now());
  let context: SyncContext | null = null;
  const rounds = new Rounds({
    requested: () => readRequest(folder),
    run: async () => {
      const round = await runParts(options);
      context ??= round.context;
      return { parts: round.outcomes, whole: round.context !== null };
    },
    ended: async ({ request, parts }) => {
      const outcome = { request, startedAt, finishedAt: iso(now()), parts };
      // What slow parts do is not to be lost for that.
      await write(folder, { name: 'sync-served.json', outcome }).catch((error: Error) =>
        log(`cannot write sync-served.json: ${error.message}`),
      );
    },
  });
  const { request } = await rounds.next();
  const slow = context === null ? [] : await rounds.during(runSlow(options, { context, rounds }));
  return { outcome: { request, startedAt, finishedAt: iso(now()), parts: [...rounds.parts, ...slow] }, rounds };
}

/** `context` is null when it is not known what there is to do. */
async function runParts(options: SyncOptions): Promise<{ context: SyncContext | null; outcomes: SyncPartOutcome[] }> {
  const { ask, parts, log, now, signal, serverFile } = options;
  const outcomes: SyncPartOutcome[] = [];
  let context: SyncContext | null = null;
  try {
    const server = await readServerFile(serverFile);
    const { sites, untouched, problems } = checkSites(await ask('GET', '/v1/sites'));
    if (problems.length > 0) outcomes.push({ id: 'apps', changed: [], problems });
    context = { sites, untouched, server, ask, log, now, signal };
    for (const part of parts) outcomes.push(await runPart(part, context));
  } catch (error) {
    outcomes.push({ id: 'apps', changed: [], problems: [problemOf(error, 'server')] });
  }
  for (const outcome of outcomes) logOutcome(outcome, log);
  return { context, outcomes };
}

async function runSlow(
  { slow, log }: SyncOptions,
  { context, rounds }: { context: SyncContext; rounds: Rounds },
): Promise<SyncPartOutcome[]> {
  const outcomes: SyncPartOutcome[] = [];
  const again = async (): Promise<boolean> => {
    const { whole, parts } = await rounds.next();
    return whole && parts.every(({ problems }) => problems.every(({ app }) => app !== null));
  };
  for (const part of slow) {
    const outcome = await runPart(part, { ...context, again, between: (work) => rounds.between(work) });
    logOutcome(outcome, log);
    outcomes.push(outcome);
  }
  return outcomes;
}

/** The number of the newest request; 0: there was none that can be read. */
async function readRequest(folder: HeldFolder): Promise<number> {
  const text = (await folder.read('sync', { maxBytes: domainLimits.requestBytes }).catch(() => null)) ?? '';
  return /^\d{1,15}\n?$/.test(text) ? Number(text) : 0;
}

async function write(folder: HeldFolder, { name, outcome }: { name: string; outcome: SyncOutcome }): Promise<void> {
  await folder.write(name, { text: `${JSON.stringify(outcome, null, 2)}\n`, mode: 0o644 });
}

async function runPart<C>(
  part: { id: string; run: (context: C) => Promise<Omit<SyncPartOutcome, 'id'>> },
  context: C,
): Promise<SyncPartOutcome> {
  try {
    return { id: part.id, ...(await part.run(context)) };
  } catch (error) {
    return { id: part.id, changed: [], problems: [problemOf(error, part.id)] };
  }
}

function logOutcome({ id, changed, problems }: SyncPartOutcome, log: (line: string) => void): void {
  for (const line of changed) log(`${id}: ${line}`);
  for (const { subject, message, hint } of problems) {
    log(`${id}: ${subject}: ${message}${hint === null ? '' : `; ${hint}`}`);
  }
}

function problemOf(error: unknown, subject: string): SyncProblem {
  const message = error instanceof Error ? error.message : String(error);
  return { app: null, subject, message, hint: error instanceof FnrunError ? error.hint : null };
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
