import { percentile } from '../../bench/measure.ts';
import type { Sample } from './probe-types.ts';

/** What a target's samples come to; times in ms. */
export interface Figures {
  requests: number;
  failures: number;
  /** How often each kind of failure came. */
  failureKinds: Record<string, number>;
  p50: number;
  p99: number;
  max: number;
  /** The longest time without a sound answer. */
  gapMs: number;
}

/** Sums up the samples of one target, in the order in which they were sent. */
export function figuresOf(samples: readonly Sample[]): Figures {
  const times = samples.map(({ startedAt, endedAt }) => endedAt - startedAt);
  const failureKinds: Record<string, number> = {};
  for (const { failure } of samples) if (failure !== null) failureKinds[failure] = (failureKinds[failure] ?? 0) + 1;
  return {
    requests: samples.length,
    failures: samples.filter(({ failure }) => failure !== null).length,
    failureKinds,
    p50: percentile(times, 50),
    p99: percentile(times, 99),
    max: times.length === 0 ? Number.NaN : Math.max(...times),
    gapMs: longestGap(samples),
  };
}

function longestGap(samples: readonly Sample[]): number {
  const first = samples[0];
  if (first === undefined) return Number.NaN;
  const last = Math.max(...samples.map(({ endedAt }) => endedAt));
  const answers = samples.filter(({ failure }) => failure === null).map(({ endedAt }) => endedAt);
  const points = [first.startedAt, ...answers.toSorted((a, b) => a - b), last];
  return Math.max(...points.slice(1).map((point, index) => point - points[index]!));
}
