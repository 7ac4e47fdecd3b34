import type { FunctionStats } from '../../runtime/contract/ipc.ts';
import type { Verdict } from './find-knee.ts';

/** What one rate did. Latencies in ms, from when a request was due. */
export interface BenchStep extends Verdict {
  /** Answers below 400 a second. */
  achieved: number;
  p50: number;
  p99: number;
  p999: number;
  requests: number;
  /** Requests without an answer below 400. */
  errors: number;
  /** Answers of each status, and requests without one by what happened. */
  outcomes: Record<string, number>;
  /** CPUs in use on average. */
  cpu: {
    /** Null: not known. */
    app: number | null;
    /** Of the app host's main thread, and of the busiest other one. */
    mainThread: number | null;
    busiestThread: number | null;
    /** What bench itself used. */
    load: number;
    /** All of the machine. */
    machine: number;
    cores: number;
  };
  /** Share of the time in which a load thread was at work, and how late it sent what it had a connection for, in ms. */
  generator: { utilization: number; lagP99: number };
  /** Most requests that waited for a connection. */
  mostWaiting: number;
  /** Live figures of the function while it ran; null: not known. */
  figures: FunctionStats | null;
}

/** What a rate has to keep to hold. */
export interface Bound {
  p99Ms: number;
}

/** Less than this of what was offered is not carried, even if what came was fast. */
const achievedShare = 0.97;

/** Whether a rate holds. */
export function holds(step: Omit<BenchStep, 'holds'>, { p99Ms }: Bound): boolean {
  return step.errors === 0 && step.p99 <= p99Ms && step.achieved >= step.rate * achievedShare;
}
