import { availableParallelism } from 'node:os';
import { workerLimits } from '../contract/limits.ts';

/** Tells whether one more computing thread of this process would find a core, the main thread counted. */
export class Cores {
  readonly count = availableParallelism();
  #mainBusy = 0;
  #at = performance.now();
  /** CPU time, not time at work: on a busy machine the main thread waits for its turn, and computes little. */
  #last = process.threadCpuUsage();

  /** `busyThreads`: threads beside the main one that compute all the time. */
  hasRoom(busyThreads: number): boolean {
    const now = performance.now();
    if (now - this.#at >= workerLimits.loadSampleMs) {
      const { user, system } = process.threadCpuUsage(this.#last);
      this.#mainBusy = (user + system) / 1000 / (now - this.#at);
      this.#last = process.threadCpuUsage();
      this.#at = now;
    }
    return busyThreads + (this.#mainBusy >= workerLimits.busyShare ? 1 : 0) < this.count;
  }
}
