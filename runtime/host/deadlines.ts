/** Something that is due at a time. */
export interface Deadline<T> {
  /** Null: it is over, or was taken back. */
  value: T | null;
  /** `performance.now()` when it is due. */
  readonly at: number;
  readonly list: DeadlineList<T>;
  before: Deadline<T> | null;
  after: Deadline<T> | null;
}

/**
 * Deadlines of which hardly any is ever due: one timer for all of the same length, where `setTimeout` makes an object for
 * each, and looks at the clock, in a third of a microsecond. `onDue` is told a millisecond or two late.
 */
export class Deadlines<T> {
  readonly #onDue: (value: T) => void;
  readonly #lists = new Map<number, DeadlineList<T>>();

  constructor(onDue: (value: T) => void) {
    this.#onDue = onDue;
  }

  /** `value` is due `afterMs` after `now`, which is `performance.now()`, unless it is taken back. */
  add(value: T, { afterMs, now }: { afterMs: number; now: number }): Deadline<T> {
    let list = this.#lists.get(afterMs);
    if (list === undefined) {
      list = new DeadlineList({ onDue: this.#onDue, onEmpty: () => this.#lists.delete(afterMs) });
      this.#lists.set(afterMs, list);
    }
    return list.add(value, { afterMs, now });
  }
}

/** Those of one length, in the order in which they were made, and so are due. */
class DeadlineList<T> {
  readonly #options: { onDue: (value: T) => void; onEmpty: () => void };
  #first: Deadline<T> | null = null;
  #last: Deadline<T> | null = null;
  #timed = false;

  constructor(options: { onDue: (value: T) => void; onEmpty: () => void }) {
    this.#options = options;
  }

  add(value: T, { afterMs, now }: { afterMs: number; now: number }): Deadline<T> {
    const before = this.#last;
    const added: Deadline<T> = { value, at: now + afterMs, list: this, before, after: null };
    if (before === null) this.#first = added;
    else before.after = added;
    this.#last = added;
    if (!this.#timed) {
      this.#timed = true;
      this.#time(afterMs);
    }
    return added;
  }

  /** Takes one back. The timer goes on, for those behind it. */
  remove(deadline: Deadline<T>): void {
    if (deadline.value === null) return;
    const { before, after } = deadline;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    // An old one that pointed to a new one would keep that, and all it reaches, through every scavenge.
    deadline.before = null;
    deadline.after = null;
    deadline.value = null;
  }

  /** A process that has nothing else to do may end: whoever waits for a deadline has a connection. */
  #time(ms: number): void {
    setTimeout(this.#onTimer, Math.max(1, Math.ceil(ms))).unref();
  }

  #onTimer = (): void => {
    const now = performance.now();
    try {
      while (this.#first !== null && this.#first.at <= now) {
        const { value } = this.#first;
        this.remove(this.#first);
        this.#options.onDue(value!);
      }
    } finally {
      // Whatever one of them throws, the others are told.
      if (this.#first !== null) {
        this.#time(this.#first.at - now);
      } else {
        this.#timed = false;
        this.#options.onEmpty();
      }
    }
  };
}

/** Takes a deadline back; nothing happens when it is over. */
export function takeBack<T>(deadline: Deadline<T>): void {
  deadline.list.remove(deadline);
}

/** Whole ms until `at`, and one at least. Rounded: what was added to a time may come off it as a hair more, and nobody is given longer than his timeout. */
export function msLeft(at: number, now: number): number {
  return Math.max(1, Math.round(at - now));
}
