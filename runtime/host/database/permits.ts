/** Somebody who may hold permits: one worker, for one database. */
export interface PermitHolder {
  /** Permits it was given since it came, and those that it is asked to give back. */
  readonly granted: number;
  readonly recall: number;
  readonly held: number;
}

/** What a permit broker is made of. */
export interface PermitBrokerOptions {
  limit: number;
  /** `granted` or `recall` of this holder has changed. */
  onChange: (holder: PermitHolder) => void;
}

interface Holder extends PermitHolder {
  granted: number;
  recall: number;
  held: number;
  want: number;
  returned: number;
  /** Its turn among those who were given permits: the one with the lowest was given its last one first. */
  turn: number;
}

/**
 * Shares the permits to open a connection out among workers: never more than `limit` are out, whoever waits longest is
 * next, and one at a time. Who holds some while others wait is asked for one, after a while another one too.
 */
export class PermitBroker {
  readonly #onChange: PermitBrokerOptions['onChange'];
  readonly #holders = new Set<Holder>();
  /** Those who want some, in the order in which they are served. */
  readonly #queue: Holder[] = [];
  /** Permits of holders that have gone and may still be in use. */
  #orphans = 0;
  #limit: number;
  #turns = 0;
  /** How many more are asked for than are needed: some of those who were asked may be busy for long. */
  #urgency = 0;
  #whenDown: (() => void)[] = [];

  constructor({ limit, onChange }: PermitBrokerOptions) {
    this.#limit = limit;
    this.#onChange = onChange;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Permits that are out. */
  get used(): number {
    let used = this.#orphans;
    for (const { held } of this.#holders) used += held;
    return used;
  }

  get orphans(): number {
    return this.#orphans;
  }

  /** Permits that are waited for, or must come back. */
  get needed(): number {
    let wanted = 0;
    for (const { want } of this.#queue) wanted += want;
    return Math.max(0, this.used + wanted - this.#limit);
  }

  add(): PermitHolder {
    const holder: Holder = { granted: 0, recall: 0, held: 0, want: 0, returned: 0, turn: 0 };
    this.#holders.add(holder);
    return holder;
  }

  /** Sets what a holder says of itself: see `DatabaseToHost`. */
  update(of: PermitHolder, { want, seen, returned }: { want: number; seen: number; returned: number }): void {
    const holder = of as Holder;
    if (!this.#holders.has(holder)) return;
    const back = returned - holder.returned;
    holder.returned = returned;
    holder.held -= back;
    if (back > 0 && holder.recall > 0) holder.recall = Math.max(0, holder.recall - back);
    // Grants on their way are not wanted once more.
    holder.want = Math.max(0, want - (holder.granted - seen));
    const at = this.#queue.indexOf(holder);
    if (holder.want > 0 && at < 0) this.#queue.push(holder);
    else if (holder.want === 0 && at >= 0) this.#queue.splice(at, 1);
    this.#serve();
  }

  /** The holder has gone; its permits count until `freeOrphans`. Returns how many these are. */
  remove(of: PermitHolder): number {
    const holder = of as Holder;
    if (!this.#holders.delete(holder)) return 0;
    const at = this.#queue.indexOf(holder);
    if (at >= 0) this.#queue.splice(at, 1);
    this.#orphans += holder.held;
    this.#serve();
    return holder.held;
  }

  freeOrphans(count: number): void {
    this.#orphans = Math.max(0, this.#orphans - count);
    this.#serve();
  }

  /** Sets how many may be out. Resolves when no more are. */
  setLimit(limit: number): Promise<void> {
    this.#limit = limit;
    return new Promise((resolve) => {
      this.#whenDown.push(resolve);
      this.#serve();
    });
  }

  /** Called from time to time while `needed` is above 0. */
  tick(): void {
    if (this.needed === 0) return;
    this.#urgency++;
    this.#recall();
  }

  #serve(): void {
    while (this.#queue.length > 0 && this.used < this.#limit) {
      const holder = this.#queue.shift()!;
      holder.want--;
      holder.held++;
      holder.granted++;
      holder.turn = ++this.#turns;
      if (holder.want > 0) this.#queue.push(holder);
      this.#onChange(holder);
    }
    this.#recall();
    if (this.#whenDown.length === 0 || this.used > this.#limit) return;
    for (const resolve of this.#whenDown.splice(0)) resolve();
  }

  /** Asks for as many as are needed, of those first who were given theirs longest ago; takes the question back when none is. */
  #recall(): void {
    const { needed } = this;
    if (needed === 0) this.#urgency = 0;
    let left = needed === 0 ? 0 : needed + this.#urgency;
    for (const holder of [...this.#holders].toSorted((a, b) => a.turn - b.turn)) {
      const recall = Math.min(holder.held, left);
      left -= recall;
      if (recall === holder.recall) continue;
      holder.recall = recall;
      this.#onChange(holder);
    }
  }
}
