import { workerLimits } from '../contract/limits.ts';

/** A waiting entry, oldest first. */
interface Entry<Job> {
  job: Job;
  since: number;
}

/** So many places of those who have gone are kept at least. */
const holesMin = 64;

/** How many were taken since when. */
interface Stretch {
  since: number;
  taken: number;
}

/** What all queues of an app hold together. */
export interface QueueTotal {
  jobs: number;
  /** Queues that are not empty. */
  queues: number;
}

/**
 * Jobs that wait for a worker, bounded in number, time, and, once it has not been empty for a while, by the pace at
 * which it is served: what could not be served in time is refused on arrival, when it costs least.
 */
export class WaitQueue<Job> {
  /** Oldest first, from `#head` on; null: was taken out of turn. No Map: see `IdTable` for what one does to V8's heap. */
  #entries: (Entry<Job> | null)[] = [];
  #head = 0;
  #size = 0;
  readonly #total: QueueTotal;
  /** Since when it has not been empty. */
  #standingSince = 0;
  /** Jobs taken since then, in all, and in the two newest stretches of at least `queuePaceMs` and `queuePaceMin`. */
  #taken = 0;
  #stretch: Stretch = { since: 0, taken: 0 };
  #before: Stretch = { since: 0, taken: 0 };

  constructor(total: QueueTotal) {
    this.#total = total;
  }

  get size(): number {
    return this.#size;
  }

  /** Places held, those of who have left included: no more than twice those who wait, and some. */
  get places(): number {
    return this.#entries.length;
  }

  /** Whether answers come, the last at `answeredAt`, and nobody has waited for long: a place is free in no time then. */
  flows(now: number, answeredAt: number): boolean {
    const { quietMs, growWaitMs } = workerLimits;
    const first = this.#first();
    return now - answeredAt < quietMs && (first === null || now - first.since < growWaitMs);
  }

  /** Average time between two jobs taken lately; 0 while too few were taken to tell. */
  intervalMs(now: number): number {
    if (this.#taken < workerLimits.queuePaceMin) return 0;
    return (now - this.#before.since) / (this.#before.taken + this.#stretch.taken);
  }

  /** Whether it, or the app, has all that may wait: half of the app's places are for queues shorter than their share. */
  get full(): boolean {
    const { queue, appQueue } = workerLimits;
    const { jobs, queues } = this.#total;
    if (this.size >= queue || jobs >= appQueue) return true;
    return jobs >= appQueue / 2 && this.size >= appQueue / 2 / queues;
  }

  /**
   * How long a job that comes now would wait, when that is too long; null: let it in. `turnMs` is how long one
   * invocation takes: a queue of slow functions may be that long.
   */
  tooLong(now: number, turnMs: number): number | null {
    const { queueStandingMs, queueMs } = workerLimits;
    if (this.size === 0 || now - this.#standingSince < queueStandingMs) return null;
    const waitMs = (this.size + 1) * this.intervalMs(now);
    return waitMs > Math.min(queueMs, Math.max(queueStandingMs, turnMs)) ? waitMs : null;
  }

  add(job: Job, now: number): void {
    if (this.size === 0) {
      this.#standingSince = now;
      this.#taken = 0;
      this.#before = { since: now, taken: 0 };
      this.#stretch = { since: now, taken: 0 };
      this.#total.queues++;
    }
    this.#entries.push({ job, since: now });
    this.#size++;
    this.#total.jobs++;
  }

  /** The job that waited longest. */
  take(now: number): Job | null {
    const first = this.#first();
    if (first === null) return null;
    this.#remove(this.#head);
    this.#taken++;
    this.#stretch.taken++;
    const { queuePaceMs, queuePaceMin } = workerLimits;
    if (now - this.#stretch.since >= queuePaceMs && this.#stretch.taken >= queuePaceMin) {
      this.#before = this.#stretch;
      this.#stretch = { since: now, taken: 0 };
    }
    return first.job;
  }

  /** Takes one job out; false when it is not there. */
  forget(job: Job): boolean {
    // Most who leave have come last.
    for (let at = this.#entries.length - 1; at >= this.#head; at--) {
      if (this.#entries[at]?.job !== job) continue;
      this.#remove(at);
      return true;
    }
    return false;
  }

  /** Takes out the oldest job if it waited for `queueMs`. */
  takeExpired(now: number): Job | null {
    const first = this.#first();
    if (first === null || now - first.since < workerLimits.queueMs) return null;
    this.#remove(this.#head);
    return first.job;
  }

  /** Takes all out, oldest first. */
  clear(): Job[] {
    const jobs: Job[] = [];
    for (let first = this.#first(); first !== null; first = this.#first()) {
      jobs.push(first.job);
      this.#remove(this.#head);
    }
    return jobs;
  }

  /** The oldest, which is at `#head` then. */
  #first(): Entry<Job> | null {
    for (; this.#head < this.#entries.length; this.#head++) {
      const entry = this.#entries[this.#head]!;
      if (entry !== null) return entry;
    }
    return null;
  }

  #remove(at: number): void {
    this.#entries[at] = null;
    this.#size--;
    this.#total.jobs--;
    if (this.#size === 0) {
      this.#total.queues--;
      this.#entries = [];
      this.#head = 0;
    } else if (this.#entries.length > 2 * this.#size + holesMin) {
      // What is left moves once for as many as have gone.
      this.#entries = this.#entries.filter((entry) => entry !== null);
      this.#head = 0;
    }
  }
}
