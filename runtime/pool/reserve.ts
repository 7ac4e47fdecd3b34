/** What a reserve is made of. */
export interface ReserveOptions {
  /** Idle threads kept when nobody asks for any. */
  min: number;
  max: number;
  /** Time without a demand after which the reserve is back at `min`. */
  idleMs: number;
  /** The reserve became smaller. */
  onShrink: () => void;
}

/** How many idle threads to keep: each one that is taken asks for one more, until nobody has asked for a while. */
export class Reserve {
  readonly #options: ReserveOptions;
  #size: number;
  #askedAt = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ReserveOptions) {
    this.#options = options;
    this.#size = options.min;
  }

  get size(): number {
    return this.#size;
  }

  /** A thread was taken, or would have been. */
  demand(): void {
    const { max, idleMs } = this.#options;
    this.#askedAt = performance.now();
    this.#size = Math.min(max, this.#size + 1);
    this.#timer ??= this.#arm(idleMs);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      const { min, idleMs, onShrink } = this.#options;
      const left = this.#askedAt + idleMs - performance.now();
      this.#timer = left > 0 ? this.#arm(left) : null;
      if (left > 0) return;
      this.#size = min;
      onShrink();
    }, ms).unref();
  }
}
