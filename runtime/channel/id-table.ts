/** Places of a new table. A power of two. */
const initialPlaces = 64;

/** Far more than a worker's invocations; only ids that were never in one table together ask for more. */
const placesMax = 2 ** 20;

/**
 * What runs, by ids that rise from 1. A Map in this place keeps garbage alive: it makes a new table whenever it has
 * grown or shrunk by half, the old one points to it and to what it held, and once one of these tables is in V8's old
 * generation, all that came after survives every scavenge. With some 32 requests coming and going at once a quarter of
 * all that was allocated did.
 *
 * An id's place is its lowest bits, so two ids of one place cannot be in the table at once: `add` passes over such ids.
 */
export class IdTable<T> {
  #ids: number[];
  #values: (T | undefined)[];
  #mask: number;
  #size = 0;
  #next = 1;

  constructor() {
    this.#ids = Array.from({ length: initialPlaces }, () => 0);
    this.#values = Array.from({ length: initialPlaces }, () => undefined);
    this.#mask = initialPlaces - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** Puts a value under a new id, which it returns. */
  add(value: T): number {
    if (this.#size * 2 > this.#mask) this.#grow();
    while (this.#ids[this.#next & this.#mask] !== 0) this.#next++;
    const id = this.#next++;
    const at = id & this.#mask;
    this.#ids[at] = id;
    this.#values[at] = value;
    this.#size++;
    return id;
  }

  has(id: number): boolean {
    return this.#ids[id & this.#mask] === id;
  }

  get(id: number): T | undefined {
    const at = id & this.#mask;
    return this.#ids[at] === id ? this.#values[at] : undefined;
  }

  /** For an id that another table gave out, or to change what an id stands for. */
  set(id: number, value: T): void {
    let at = id & this.#mask;
    // The other table is larger then: there they have places of their own.
    while (this.#ids[at] !== 0 && this.#ids[at] !== id) {
      this.#grow();
      at = id & this.#mask;
    }
    if (this.#ids[at] === 0) this.#size++;
    this.#ids[at] = id;
    this.#values[at] = value;
  }

  /** Whether it was there. */
  delete(id: number): boolean {
    const at = id & this.#mask;
    if (this.#ids[at] !== id) return false;
    this.#ids[at] = 0;
    this.#values[at] = undefined;
    this.#size--;
    return true;
  }

  /** All values, in no order. */
  values(): T[] {
    return this.#values.filter((_, at) => this.#ids[at] !== 0) as T[];
  }

  clear(): void {
    this.#ids.fill(0);
    this.#values.fill(undefined);
    this.#size = 0;
  }

  #grow(): void {
    const ids = this.#ids;
    const values = this.#values;
    const places = ids.length * 2;
    if (places > placesMax) throw new Error(`Cannot hold more than ${placesMax} places: ${this.#size} are taken`);
    this.#mask = places - 1;
    this.#ids = Array.from({ length: places }, () => 0);
    this.#values = Array.from({ length: places }, () => undefined);
    for (const [at, id] of ids.entries()) {
      if (id === 0) continue;
      this.#ids[id & this.#mask] = id;
      this.#values[id & this.#mask] = values[at];
    }
  }
}
