/** How one piece of work waits for a place. */
export interface SlotOptions {
  /** Ends the waiting; the work itself has to look at it too. */
  signal: AbortSignal;
  /** Called when it has to wait. */
  onWait: () => void;
}

/**
 * Places for work of all apps together, given in the order asked for. Bounded without a limit of its own:
 * of each app one deployment at a time comes here.
 */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Rejects with the signal's reason when that aborts before there is a place. */
  async run<T>(work: () => Promise<T>, options: SlotOptions): Promise<T> {
    await this.#take(options);
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  async #take({ signal, onWait }: SlotOptions): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    onWait();
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(enter);
    });
  }
}
