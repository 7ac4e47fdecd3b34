/** Old places are given back when they are so many, and half of all. */
const compactAt = 1024;

/**
 * Numbers, first in, first out. `Array.shift()` moves all that wait: with a backlog of 100,000 that is 800 KB for each
 * request, so that a generator gets slower, and its machine with it, just when it has to catch up.
 */
export class Backlog {
  #values: number[] = [];
  #first = 0;

  get length(): number {
    return this.#values.length - this.#first;
  }

  push(value: number): void {
    this.#values.push(value);
  }

  shift(): number | undefined {
    if (this.length === 0) return undefined;
    const value = this.#values[this.#first++];
    if (this.#first >= compactAt && this.#first * 2 >= this.#values.length) {
      this.#values = this.#values.slice(this.#first);
      this.#first = 0;
    }
    return value;
  }
}
