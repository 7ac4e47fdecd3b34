import { databaseLimits } from '../../contract/limits.ts';
import type { PermitBroker } from './permits.ts';

/** The connections of one thread, or of a process before this one, that has died. */
interface Group {
  /** The server's numbers of those that were open; others were being made. */
  ids: Set<number>;
  permits: number;
  since: number;
  /** A worker has been asked to end them. */
  asked: boolean;
  /** One of the permits was given out so that somebody can ask. */
  lent: boolean;
}

/** What is done about orphans. */
export interface OrphansOptions {
  broker: PermitBroker;
  /**
   * Has a worker end these connections and tell when they are gone; resolves when that worker has ended. Null: there is
   * none that could.
   */
  ask: (ids: number[]) => Promise<unknown> | null;
}

/**
 * Connections of threads and processes that have died. Their sockets are closed with the thread, but the server goes on with the
 * statement that runs in one, and counts it until then. So their permits come back when a worker has had the server end
 * them. Where these are all that the app may have, one more is opened to do so, after `lendMs`.
 */
export class Orphans {
  readonly #broker: PermitBroker;
  readonly #ask: OrphansOptions['ask'];
  readonly #groups = new Set<Group>();

  constructor({ broker, ask }: OrphansOptions) {
    this.#broker = broker;
    this.#ask = ask;
  }

  get any(): boolean {
    return this.#groups.size > 0;
  }

  /** The server's numbers of those that may be open. */
  get ids(): number[] {
    return [...this.#groups].flatMap(({ ids }) => [...ids]);
  }

  /** `permits`: those of a dead holder, of which `ids` are known to the server. */
  add(ids: readonly number[], permits: number): void {
    const named = new Set(ids.slice(0, permits));
    const group: Group = { ids: named, permits, since: performance.now(), asked: false, lent: false };
    this.#groups.add(group);
    this.#end(group);
  }

  /** The server does not know these any more. */
  gone(ids: readonly number[]): void {
    for (const group of this.#groups) {
      for (const id of ids) if (group.ids.delete(id)) this.#free(group, Math.min(1, group.permits));
      if (group.ids.size === 0 && group.permits === 0) this.#groups.delete(group);
    }
  }

  tick(): void {
    const now = performance.now();
    for (const group of this.#groups) {
      this.#end(group);
      const age = now - group.since;
      const nothingToEnd = group.ids.size === 0;
      if (age > databaseLimits.closeMs || (age > databaseLimits.orphanMs && nothingToEnd)) {
        this.#groups.delete(group);
        this.#free(group, group.permits);
      } else if (age > databaseLimits.lendMs && !group.asked && !group.lent) {
        group.lent = true;
        this.#free(group, Math.min(1, group.permits));
      }
    }
  }

  #free(group: Group, count: number): void {
    group.permits -= count;
    this.#broker.freeOrphans(count);
  }

  #end(group: Group): void {
    if (group.asked || group.ids.size === 0) return;
    const asked = this.#ask([...group.ids]);
    group.asked = asked !== null;
    // Whoever was asked may end before it has answered: then another is.
    void asked?.then(() => (group.asked = false));
  }
}
