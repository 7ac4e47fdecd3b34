/**
 * A thread that posts a message whenever a request is due. Timers of the event loop have whole milliseconds;
 * waiting on memory that nobody changes wakes within some tens of microseconds.
 */
import { parentPort, workerData } from 'node:worker_threads';

/** When to tick; times are milliseconds since the epoch with fractions, which all threads share. */
export interface PacerOptions {
  startMs: number;
  endMs: number;
  everyMs: number;
}

const { startMs, endMs, everyMs } = workerData as PacerOptions;
const memory = new Int32Array(new SharedArrayBuffer(4));
const now = (): number => performance.timeOrigin + performance.now();

for (let tick = 0; startMs + tick * everyMs < endMs; tick++) {
  // Ticks that were slept through are left out: the next message stands for them too.
  tick = Math.max(tick, Math.floor((now() - startMs) / everyMs));
  const waitMs = startMs + tick * everyMs - now();
  if (waitMs > 0) Atomics.wait(memory, 0, 0, waitMs);
  parentPort!.postMessage(null);
}
