import type { SyncOutcome, SyncPartOutcome, SyncProblem } from '../../router/control/domain-types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { domainLimits } from '../../runtime/contract/limits.ts';
import { openFolder, type HeldFolder } from './folder.ts';
import type { Ask, SyncContext, SyncPart } from './part.ts';
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
  log: (line: string) => void;
  /** ms since the epoch. */
  now: () => number;
  signal: AbortSignal;
}

/**
 * Does once what root does for the server, and again while the daemon has asked meanwhile; writes the outcome to
 * `<run>/sync.json` and resolves to it. What cannot be done is told there. Rejects when even that cannot be written.
 */
export async function runSync(options: SyncOptions): Promise<SyncOutcome> {
  await using folder = await openFolder(options.run);
  for (let runs = 1; ; runs += 1) {
    const request = await readRequest(folder);
    const outcome = await runOnce(options, request);
    await folder.write('sync.json', { text: `${JSON.stringify(outcome, null, 2)}\n`, mode: 0o644 });
    if (runs >= domainLimits.runsMax || options.signal.aborted || (await readRequest(folder)) === request) {
      return outcome;
    }
  }
}

/** The number of the newest request; 0: there was none that can be read. */
async function readRequest(folder: HeldFolder): Promise<number> {
  const text = (await folder.read('sync', { maxBytes: domainLimits.requestBytes })) ?? '';
  return /^\d{1,15}\n?$/.test(text) ? Number(text) : 0;
}

async function runOnce(options: SyncOptions, request: number): Promise<SyncOutcome> {
  const { ask, parts, log, now, signal, serverFile } = options;
  const startedAt = iso(now());
  const outcomes: SyncPartOutcome[] = [];
  try {
    const server = await readServerFile(serverFile);
    const { sites, untouched, problems } = checkSites(await ask('GET', '/v1/sites'));
    if (problems.length > 0) outcomes.push({ id: 'apps', changed: [], problems });
    const context: SyncContext = { sites, untouched, server, ask, log, now, signal };
    for (const part of parts) outcomes.push(await runPart(part, context));
  } catch (error) {
    outcomes.push({ id: 'apps', changed: [], problems: [problemOf(error, 'server')] });
  }
  for (const { id, changed, problems } of outcomes) {
    for (const line of changed) log(`${id}: ${line}`);
    for (const { subject, message, hint } of problems) {
      log(`${id}: ${subject}: ${message}${hint === null ? '' : `; ${hint}`}`);
    }
  }
  return { request, startedAt, finishedAt: iso(now()), parts: outcomes };
}

async function runPart(part: SyncPart, context: SyncContext): Promise<SyncPartOutcome> {
  try {
    return { id: part.id, ...(await part.run(context)) };
  } catch (error) {
    return { id: part.id, changed: [], problems: [problemOf(error, part.id)] };
  }
}

function problemOf(error: unknown, subject: string): SyncProblem {
  const message = error instanceof Error ? error.message : String(error);
  return { app: null, subject, message, hint: error instanceof FnrunError ? error.hint : null };
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
