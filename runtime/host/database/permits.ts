import { planRecalls } from './recalls.ts';
import type { Holder, PermitHolder } from './recalls.ts';

export type { PermitHolder } from './recalls.ts';

/** What a permit broker is made of. */
export interface PermitBrokerOptions {
  limit: number;
  /** `granted` or `recall` of this holder has changed. */
  onChange: (holder: PermitHolder) => void;
}

/**
 * Shares the permits to open a connection out among workers: never more than `limit` are out, whoever waits longest is
 * next, and one at a time. Who holds more than others that wait is asked for some: see `planRecalls`.
 */
export class PermitBroker {
  readonly #onChange: PermitBrokerOptions['onChange'];
  readonly #holders = new Set<Holder>();
  /** Those who want some, in the order in which they are served. */
  readonly #queue: Holder[] = [];
  /** Permits of holders that have gone and may still be in use. */
  #orphans = 0;
  #limit: number;
  #asked = 0;
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

  /** Permits that holders are asked for. */
  get needed(): number {
    return this.#asked;
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

  /** Permits of a holder elsewhere, which has gone: they count until `freeOrphans`. */
  inherit(count: number): void {
    this.#orphans += count;
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

  /** Asks for those that others should have; takes the question back where nobody should. */
  #recall(): void {
    const excess = Math.max(0, this.used - this.#limit);
    const idle = excess === 0 && this.#queue.length === 0;
    if (idle) this.#urgency = 0;
    if (idle && this.#asked === 0) return;
    const asked = planRecalls(this.#holders, { queue: this.#queue, excess, urgency: this.#urgency });
    this.#asked = 0;
    for (const holder of this.#holders) {
      const recall = asked.get(holder) ?? 0;
      this.#asked += recall;
      if (recall === holder.recall) continue;
      holder.recall = recall;
      this.#onChange(holder);
    }
  }
}
