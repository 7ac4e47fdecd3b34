import { workerLimits } from '../contract/limits.ts';
import type { Refusal } from './breaker.ts';
import type { Job } from './job.ts';
import { WaitQueue } from './wait-queue.ts';
import type { QueueTotal } from './wait-queue.ts';

/** What a waiting room is made of. */
export interface WaitingRoomOptions {
  total: QueueTotal;
  /** Called every `queueTickMs` while jobs wait. */
  onTick: (now: number) => void;
  /** Whether the function's first worker is on its way: it is waited for as long as it may load. */
  isStarting: () => boolean;
}

/** Where the invocations of one function wait for a worker: nobody longer than `queueMs`, and nobody in vain. */
export class WaitingRoom {
  readonly #options: WaitingRoomOptions;
  readonly #queue: WaitQueue<Job>;
  #ticker: NodeJS.Timeout | null = null;

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
    this.#queue = new WaitQueue(options.total);
  }

  get size(): number {
    return this.#queue.size;
  }

  /** Whether those who wait are about to be served, by workers of which the last answered at `answeredAt`. */
  flows(now: number, answeredAt: number): boolean {
    return this.#queue.flows(now, answeredAt);
  }

  /** Lets a job in, or says why not. `inFlight`: invocations that the function's workers hold. */
  enter(job: Job, { now, inFlight }: { now: number; inFlight: number }): Refusal | null {
    if (this.#queue.full) {
      const detail = 'As many requests as may wait for this function do so already';
      return { code: 'FN_OVERLOADED', detail, retryInMs: this.#queue.size * this.#queue.intervalMs(now) };
    }
    // Little's law: as long as one invocation takes, all that are in flight are replaced once.
    const turnMs = inFlight * this.#queue.intervalMs(now);
    const waitMs = this.#queue.tooLong(now, turnMs);
    if (waitMs !== null) {
      const detail = `Requests wait for this function already; this one would for about ${Math.ceil(waitMs)} ms`;
      return { code: 'FN_OVERLOADED', detail, retryInMs: waitMs };
    }
    this.#queue.add(job, now);
    this.#ticker ??= setInterval(() => this.#tick(), workerLimits.queueTickMs);
    return null;
  }

  /** The next job that is still wanted; null: none waits. */
  next(now: number): Job | null {
    let job = this.#queue.take(now);
    while (job?.cancelled === true) job = this.#queue.take(now);
    return job;
  }

  forget(job: Job): boolean {
    return this.#queue.forget(job);
  }

  /** Takes all out that are still wanted. */
  clear(): Job[] {
    return this.#queue.clear().filter((job) => !job.cancelled);
  }

  #tick(): void {
    // Not as soon as it is empty: it may be so many times in a millisecond.
    if (this.#queue.size === 0) {
      if (this.#ticker !== null) clearInterval(this.#ticker);
      this.#ticker = null;
      return;
    }
    const now = performance.now();
    this.#options.onTick(now);
    if (this.#options.isStarting()) return;
    for (let job = this.#queue.takeExpired(now); job !== null; job = this.#queue.takeExpired(now)) {
      job.reject('FN_OVERLOADED', `No worker became free within ${workerLimits.queueMs} ms`);
    }
  }
}
