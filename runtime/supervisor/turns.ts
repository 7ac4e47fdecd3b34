/** Does one thing after the other. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Whether something is under way or waits. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** Runs `work` once everything before it is done, whatever came of that. */
  run<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const result = this.#last.then(work).finally(() => this.#waiting--);
    this.#last = result.catch(() => {});
    return result;
  }
}
