import { invocationLimits } from '../contract/limits.ts';
import { threadCpuMs } from './schedstat.ts';

/** What a watch needs of its worker. */
export interface AbortWatchOptions {
  /** The thread's id in the kernel, as soon as it is known. */
  tid: () => number | null;
  /** The thread did not acknowledge an abort in time: its event loop is blocked. */
  onBlocked: () => void;
}

/** Waits for the acknowledgements of aborts: a thread that gives none is blocked in its own code. */
export class AbortWatch {
  readonly #options: AbortWatchOptions;
  readonly #timers = new Map<number, NodeJS.Timeout>();

  constructor(options: AbortWatchOptions) {
    this.#options = options;
  }

  /** An abort of invocation `id` was sent; it is to be acknowledged within `graceMs`. */
  expect(id: number, graceMs: number): void {
    const { tid, onBlocked } = this.#options;
    const before = threadCpuMs(tid());
    const timer = setTimeout(() => {
      const ran = threadCpuMs(tid());
      // A thread that computed all the time will not hear us. One that did not may be in a
      // blocking call, or sound and without its turn on a busy machine: it gets longer.
      const busy = before === null || ran === null || ran - before >= graceMs / 2;
      if (busy) onBlocked();
      else this.#timers.set(id, setTimeout(onBlocked, invocationLimits.abortGraceMsMax));
    }, graceMs);
    this.#timers.set(id, timer);
  }

  acknowledged(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
