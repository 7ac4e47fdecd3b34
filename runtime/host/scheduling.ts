import type { SchedulingPolicy } from '../contract/ipc.ts';
import { schedulingLimits, workerLimits } from '../contract/limits.ts';

/** What is looked at of a worker. */
export interface WorkerSight {
  readonly inFlight: number;
  /** Messages heard so far. */
  readonly heard: number;
  readonly thread: { activeMs(): number };
  readonly load: { readonly busy: number; readonly answerMs: number };
}

/** Where the figures come from, and who acts on them. */
export interface SchedulingOptions {
  workers: () => Iterable<WorkerSight>;
  /** Requests so far. */
  requests: () => number;
  /** Has the kernel told: this process cannot do it. */
  tell: (policy: SchedulingPolicy) => void;
}

/**
 * Chooses the scheduling policy of the threads (Linux). One that is woken usually takes the CPU from whoever is on it: the main thread
 * from nginx after its first request, a worker from the main thread that has more for it; and finds little to do each time.
 * As `batch` it waits until they are done, and finds more. But it would wait behind a handler that computes as well: so they are
 * `batch` only while requests are many and none of them keeps a thread.
 */
export class Scheduling {
  #policy: SchedulingPolicy = 'other';
  readonly #options: SchedulingOptions;
  readonly #seen = new WeakMap<WorkerSight, { at: number; heard: number; activeMs: number }>();
  /** Since when nothing has computed, and the requests until then. */
  #quietSince = 0;
  #requestsThen = 0;

  constructor(options: SchedulingOptions) {
    this.#options = options;
  }

  /** How often `look` wants to be called, while invocations run. */
  get everyMs(): number {
    return this.#policy === 'batch' ? schedulingLimits.lookMs : workerLimits.watchMs;
  }

  /** Looks at the workers, and changes the policy when what they do tells so. */
  look(now: number): void {
    const { steadyMs, perSecond } = schedulingLimits;
    const computes = this.#computes(now);
    if (this.#policy === 'batch') {
      if (!computes) return;
      this.#change('other');
    }
    if (!computes && now - this.#quietSince < steadyMs) return;
    const requests = this.#options.requests();
    const rate = ((requests - this.#requestsThen) * 1000) / (now - this.#quietSince);
    this.#quietSince = now;
    this.#requestsThen = requests;
    if (!computes && rate >= perSecond) this.#change('batch');
  }

  /** Whether any worker computes for long: all of them are looked at, to be compared with the next time. */
  #computes(now: number): boolean {
    let found = false;
    for (const worker of this.#options.workers()) {
      if (worker.inFlight > 0 && this.#keepsThread(worker, now)) found = true;
    }
    return found;
  }

  #keepsThread(worker: WorkerSight, now: number): boolean {
    const { busyShare, answerMs, silentMs } = schedulingLimits;
    const { heard, load } = worker;
    if (load.busy >= busyShare && load.answerMs >= answerMs) return true;
    const last = this.#seen.get(worker);
    if (last !== undefined && last.heard === heard && now - last.at < silentMs) return false;
    const activeMs = worker.thread.activeMs();
    this.#seen.set(worker, { at: now, heard, activeMs });
    return last !== undefined && last.heard === heard && activeMs - last.activeMs >= silentMs;
  }

  #change(policy: SchedulingPolicy): void {
    this.#policy = policy;
    this.#options.tell(policy);
  }
}
