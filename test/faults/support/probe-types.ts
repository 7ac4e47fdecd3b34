import type { HttpTarget } from '../../support/http.ts';

/** Something that is asked steadily while a fault is on. */
export interface ProbeTarget {
  name: string;
  /** @default GET */
  method?: string;
  at: HttpTarget;
  path: string;
  /** The Host header. */
  host: string;
  /** The body of a sound answer. */
  body: string;
}

/** One request of the prober. Times are in ms since the epoch, from a monotonic clock. */
export interface Sample {
  /** Position of the target. */
  target: number;
  startedAt: number;
  endedAt: number;
  /** Null: answered with 200 and the right body. Else the status and code, or the connection's error. */
  failure: string | null;
}

/** What the prober is told. */
export type ToProber =
  | { type: 'start'; targets: ProbeTarget[]; everyMs: number; newConnectionEvery: number }
  /** Answered with the samples since the last `take`, when each target has `least` and what was sent is answered. */
  | { type: 'take'; id: number; least: number };

export interface FromProber {
  type: 'samples';
  id: number;
  samples: Sample[];
}
