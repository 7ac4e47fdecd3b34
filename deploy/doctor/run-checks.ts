import { setTimeout as delay } from 'node:timers/promises';
import { doctorLimits } from '../../runtime/contract/limits.ts';
import { bySeverity, type Finding } from '../mysql/doctor/finding.ts';
import type { DoctorContext, MachineCheck, Outcome } from './check.ts';

/** What became of all checks. */
export interface Diagnosis {
  findings: Finding[];
  /** Figures of the checks that had something to look at, by their id. */
  seen: Record<string, string>;
  /** Times of answers that checks have measured. */
  trips: string[];
  /** Checks that do not apply, and why. */
  skipped: Record<string, string>;
  /** How many looked. */
  looked: number;
}

/**
 * Runs the checks, a few at a time, and then those that measure times. One that fails or does not end in time is a finding of its own and hides no other.
 * Rejects only when `signal` aborts, and with FN_SSH_FAILED when the machine was lost.
 */
export async function runChecks(
  checks: readonly MachineCheck[],
  context: DoctorContext,
  { checkMs = doctorLimits.checkMs }: { checkMs?: number } = {},
): Promise<Diagnosis> {
  const outcomes = new Map<string, Outcome>();
  const run = async (queue: MachineCheck[], atOnce: number): Promise<void> => {
    const worker = async (): Promise<void> => {
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
        context.signal.throwIfAborted();
        outcomes.set(one.id, await attempt(one, { context, checkMs }));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  };
  await run(
    checks.filter(({ alone = false }) => !alone),
    doctorLimits.checksAtOnce,
  );
  await run(
    checks.filter(({ alone = false }) => alone),
    1,
  );
  const diagnosis: Diagnosis = { findings: [], seen: {}, trips: [], skipped: {}, looked: 0 };
  for (const { id } of checks) {
    const outcome = outcomes.get(id)!;
    if ('skipped' in outcome) diagnosis.skipped[id] = outcome.skipped;
    else {
      diagnosis.looked++;
      diagnosis.findings.push(...outcome.findings);
      if (outcome.seen !== undefined) diagnosis.seen[id] = outcome.seen;
      if (outcome.trip !== undefined) diagnosis.trips.push(outcome.trip);
    }
  }
  return { ...diagnosis, findings: bySeverity(diagnosis.findings) };
}

async function attempt(
  { id, check }: MachineCheck,
  { context, checkMs }: { context: DoctorContext; checkMs: number },
): Promise<Outcome> {
  const over = new AbortController();
  const late = delay(checkMs, 'late' as const, { signal: over.signal }).catch(() => 'late' as const);
  try {
    const outcome = await Promise.race([check(context), late]);
    if (outcome !== 'late') return outcome;
    return failed(id, `not done after ${checkMs / 1000} s`);
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof Error && 'code' in error && error.code === 'FN_SSH_FAILED') throw error;
    return failed(id, error instanceof Error ? error.message : String(error));
  } finally {
    over.abort();
  }
}

function failed(id: string, why: string): Outcome {
  const measured = why.split('\n').slice(0, 3).join(' ').slice(0, doctorLimits.wordsChars);
  const todo = 'look by hand; run doctor as root if it was a matter of rights';
  return {
    findings: [
      { id: `${id}-not-looked-at`, severity: 'warning', what: `${id} could not be looked at`, measured, todo },
    ],
  };
}
