/** When to tick; times are milliseconds since the epoch with fractions, which all threads share. */
export interface PacerOptions {
  startMs: number;
  endMs: number;
  everyMs: number;
}

/**
 * Calls `tick` whenever a request is due, and blocks its thread in between. Timers of the event loop have whole
 * milliseconds; waiting on memory that nobody changes wakes within some tens of microseconds.
 */
export function pace({ startMs, endMs, everyMs }: PacerOptions, tick: () => void): void {
  const memory = new Int32Array(new SharedArrayBuffer(4));
  for (let count = 0; startMs + count * everyMs < endMs; count++) {
    // Ticks that were slept through are left out: the next one stands for them too.
    count = Math.max(count, Math.floor((clock() - startMs) / everyMs));
    const waitMs = startMs + count * everyMs - clock();
    if (waitMs > 0) Atomics.wait(memory, 0, 0, waitMs);
    tick();
  }
}

/** Milliseconds since the epoch with fractions: the same in all threads. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}
