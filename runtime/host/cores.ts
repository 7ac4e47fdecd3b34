import { performance } from 'node:perf_hooks';
import { availableParallelism } from 'node:os';
import { workerLimits } from '../contract/limits.ts';

/** Tells whether one more computing thread of this process would find a core, the main thread counted. */
export class Cores {
  readonly #count = availableParallelism();
  #mainBusy = 0;
  #at = performance.now();
  #last = performance.eventLoopUtilization();

  /** `busyThreads`: threads beside the main one that compute all the time. */
  hasRoom(busyThreads: number): boolean {
    const now = performance.now();
    if (now - this.#at >= workerLimits.loadSampleMs) {
      this.#mainBusy = performance.eventLoopUtilization(this.#last).utilization;
      this.#last = performance.eventLoopUtilization();
      this.#at = now;
    }
    return busyThreads + (this.#mainBusy >= workerLimits.busyShare ? 1 : 0) < this.#count;
  }
}
