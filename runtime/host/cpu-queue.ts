import { workerLimits } from '../contract/limits.ts';
import type { Thread } from '../pool/thread-pool.ts';
import { threadTimes } from './schedstat.ts';

/**
 * Tells whether threads stand in line for the cores. A worker whose database server is on the same machine looks busy
 * when that one takes the cores: its event loop has work, and does not come to it. One more thread would take turns with
 * those there are, and each would find less to do when it runs.
 */
export class CpuQueue {
  readonly #last = new WeakMap<Thread, { at: number; waitedMs: number }>();

  /** Whether they stood in line since they were looked at; true as well while that is too short or too long ago to tell. */
  isLong(threads: readonly Thread[], now: number): boolean {
    const shares = threads.map((thread) => this.#waited(thread, now));
    if (shares.includes(null)) return true;
    return shares.some((share) => share! >= workerLimits.cpuQueueShare);
  }

  /** Share of the time in which a thread could have run and did not; null: it is looked at from here on. */
  #waited(thread: Thread, now: number): number | null {
    const waitedMs = threadTimes(thread.tid)?.waitedMs;
    // Where it is not known nobody is held back.
    if (waitedMs === undefined) return 0;
    const last = this.#last.get(thread);
    const elapsed = last === undefined ? Infinity : now - last.at;
    if (elapsed < workerLimits.loadSampleMs / 2) return null;
    this.#last.set(thread, { at: now, waitedMs });
    return elapsed > workerLimits.cpuQueueMs ? null : (waitedMs - last!.waitedMs) / elapsed;
  }
}
