import type { RecordableHistogram } from 'node:perf_hooks';
import type { Address } from './connection.ts';
import type { PacerOptions } from './pacer.ts';

/** What one thread shall offer. */
export interface LoadOrder {
  address: Address;
  method: string;
  /** The bytes of one request. */
  request: Uint8Array;
  /** Null: each connection sends the next request when it has its answer, as many as go. */
  requestsPerSecond: number | null;
  /** At the begin, and not counted. */
  warmUpMs: number;
  durationMs: number;
  /** Requests at once; those beyond wait, and their latency goes on. */
  connections: number;
  timeoutMs: number;
  /** Requests that may wait for a connection; with more the thread stops: the server cannot carry this. */
  waitingMax: number;
}

/** What came of it; only `good` has requests that were due in the warm-up. */
export interface LoadResult {
  /** Requests that were due. */
  offered: number;
  /** Answers below 400 that came within the measured time. */
  good: number;
  /** Answers of each status, and requests without one by what happened. `unsent`: no connection was free until the end. */
  outcomes: Record<string, number>;
  /** Microseconds from when a request was due to its last byte; what was never sent counts with the time that it waited. */
  latency: RecordableHistogram;
  /** Microseconds by which the thread itself sent late what it had a connection for. */
  lag: RecordableHistogram;
  /** Most requests in flight or waiting at once. */
  mostWaiting: number;
  /** Share of the time in which the thread was at work. */
  utilization: number;
}

/** What a thread is started for. */
export type ThreadData = { kind: 'load' } | { kind: 'pacer'; options: PacerOptions };
