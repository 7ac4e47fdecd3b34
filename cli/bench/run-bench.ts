import { cpus } from 'node:os';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { benchLimits } from '../../runtime/contract/limits.ts';
import { caveats, explainLimit, outcomeWords, type Limit } from './explain.ts';
import { findKnee, type Knee } from './find-knee.ts';
import { createGenerator, type Generator } from './generator.ts';
import type { LoadResult } from './load/messages.ts';
import { measurePeak, measureStep } from './measure-step.ts';
import { columns, count, milliseconds, renderLine, renderStep } from './render-bench.ts';
import type { BenchStep, Bound } from './step.ts';
import type { BenchTarget } from './target.ts';

export interface BenchOptions {
  target: BenchTarget;
  durationMs: number;
  maxRate: number;
  connections: number;
  /** Null: from what a request alone takes. */
  p99Ms: number | null;
  json: boolean;
  signal: AbortSignal;
  out: (line: string) => void;
}

/** Finds the knee and prints the way there. Resolves to the exit code: 1 when no rate held. Throws the signal's reason after Ctrl-C, with what it has printed. */
export async function runBench(options: BenchOptions): Promise<number> {
  const { target, json, signal, out, connections, maxRate } = options;
  const tell = json ? () => undefined : out;
  await using generator = createGenerator({ threads: cpus().length >= 4 ? 2 : 1 });
  const { aloneMs, peak, bound } = await lookFirst(generator, options);
  tell(target.name);
  tell(
    `one request alone takes ${milliseconds(aloneMs)} (p50); a rate holds while p99 is at most ${milliseconds(bound.p99Ms)} and nothing fails`,
  );
  tell(renderLine(columns));
  const steps: BenchStep[] = [];
  const search = findKnee({
    peak,
    maxRate,
    measure: async (rate) => {
      const step = await measureStep(rate, { ...options, generator, bound });
      steps.push(step);
      tell(renderStep(step));
      return step;
    },
  });
  const knee = await search.catch((error: unknown) => {
    if (!signal.aborted) throw error;
    return soFar(steps);
  });
  const limit = limitOf(knee, { bound, connections, maxRate });
  const notes = caveats(steps, bound);
  if (json)
    out(
      JSON.stringify(
        bodyOf({ target, aloneMs, peak, bound, knee, limit, steps, notes, complete: !signal.aborted }),
        null,
        2,
      ),
    );
  else for (const line of conclude({ knee, limit, bound, notes, aborted: signal.aborted })) out(line);
  signal.throwIfAborted();
  return knee.held === null ? 1 : 0;
}

/** What one request takes alone, and about how many a second are the most; all code is warm afterwards. Throws FN_USAGE when it is answered with an error. */
async function lookFirst(
  generator: Generator,
  options: BenchOptions,
): Promise<{ aloneMs: number; peak: number; bound: Bound }> {
  const { target } = options;
  const { probeMs, timeoutMs } = benchLimits;
  let alone = await measurePeak({ ...options, generator, connections: 1, durationMs: probeMs });
  // A function that takes seconds, or a machine that is busy.
  if (alone.rate === 0 && outcomeWords(alone.outcomes) === '') {
    alone = await measurePeak({ ...options, generator, connections: 1, durationMs: timeoutMs });
  }
  requireAnswers(target, alone);
  const aloneMs = alone.latency.percentile(50) / 1000;
  let peak = alone.rate;
  const durationMs = Math.min(probeMs, options.durationMs);
  for (let connections = 16; connections <= options.connections; connections *= 4) {
    const { rate } = await measurePeak({ ...options, generator, connections, durationMs });
    if (rate < peak * 1.1) break;
    peak = rate;
  }
  const p99Ms = options.p99Ms ?? Math.max(benchLimits.p99Ms, Math.round(aloneMs * benchLimits.p99Factor));
  return { aloneMs, peak, bound: { p99Ms } };
}

function requireAnswers(
  target: BenchTarget,
  { outcomes, rate }: Pick<LoadResult, 'outcomes'> & { rate: number },
): void {
  const bad = outcomeWords(outcomes);
  if (bad === '' && rate > 0) return;
  if ('refused' in outcomes) throw new FnrunError('FN_NOT_RUNNING', `Nothing listens for ${target.name}`);
  const what = bad === '' ? 'not in time' : bad;
  throw new FnrunError('FN_USAGE', `${target.name} is not answered as it should be: ${what}`, {
    hint: 'name a request that is answered with a status below 400: --path, --method, --data, --header',
  });
}

/** Of a search that was broken off. */
function soFar(steps: readonly BenchStep[]): Knee<BenchStep> {
  const held = steps.filter((step) => step.holds).toSorted((a, b) => b.rate - a.rate)[0] ?? null;
  const above = steps.filter((step) => !step.holds && step.rate > (held?.rate ?? 0));
  return { held, failed: above.toSorted((a, b) => a.rate - b.rate)[0] ?? null };
}

function limitOf(
  { held, failed }: Knee<BenchStep>,
  { bound, connections, maxRate }: { bound: Bound; connections: number; maxRate: number },
): Limit | null {
  if (failed !== null) return explainLimit(failed, { ...bound, connections });
  if (held !== null && held.rate >= maxRate) {
    return { by: 'max-rate', words: '--max-rate: it held to the end, the knee is above' };
  }
  return null;
}

interface Conclusion {
  knee: Knee<BenchStep>;
  limit: Limit | null;
  notes: string[];
}

function conclude({
  knee: { held, failed },
  limit,
  bound,
  notes,
  aborted,
}: Conclusion & { bound: Bound; aborted: boolean }): string[] {
  const word = aborted ? 'so far' : 'knee';
  const knee =
    held === null
      ? `${word}: none, no rate held${failed === null ? '' : ` down to ${count(failed.rate)} req/s (p99 ${milliseconds(failed.p99)}${failed.errors === 0 ? '' : `, ${outcomeWords(failed.outcomes)}`})`}`
      : `${word}: ${count(held.rate)} req/s at p99 ${milliseconds(held.p99)}${failed === null ? '' : `; ${count(failed.rate)} req/s no longer holds (${whyNot(failed, bound)})`}`;
  return [knee, ...(limit === null ? [] : [`limit: ${limit.words}`]), ...notes.map((note) => `note: ${note}`)];
}

function whyNot(step: BenchStep, { p99Ms }: Bound): string {
  if (step.errors > 0) return outcomeWords(step.outcomes);
  return step.p99 > p99Ms ? `p99 ${milliseconds(step.p99)}` : `${count(step.achieved)} answered`;
}

function bodyOf({
  target,
  knee,
  ...rest
}: Conclusion & {
  target: BenchTarget;
  aloneMs: number;
  peak: number;
  bound: Bound;
  steps: BenchStep[];
  complete: boolean;
}) {
  const { held, failed } = knee;
  return {
    target: target.name,
    kneeRequestsPerSecond: held?.rate ?? null,
    failedRequestsPerSecond: failed?.rate ?? null,
    ...rest,
  };
}
