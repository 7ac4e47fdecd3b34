import { databaseLimits } from '../../contract/limits.ts';
import type { PermitBroker } from './permits.ts';

interface Group {
  ids: Set<number>;
  /** Permits whose connections have no number yet: they were being made. */
  unnamed: number;
  since: number;
  /** A worker has been asked to end them. */
  asked: boolean;
}

/**
 * Connections of threads that have died. Their sockets are closed with the thread, but the server goes on with the
 * statement that runs in one, and counts it until then. So their permits come back when a worker has had the server end
 * them; when no worker can, after `orphanMs`.
 */
export class Orphans {
  readonly #broker: PermitBroker;
  readonly #ask: (ids: number[]) => boolean;
  readonly #groups = new Set<Group>();

  constructor({ broker, ask }: { broker: PermitBroker; ask: (ids: number[]) => boolean }) {
    this.#broker = broker;
    this.#ask = ask;
  }

  get any(): boolean {
    return this.#groups.size > 0;
  }

  /** `permits`: those of a dead holder, of which `ids` are known to the server. */
  add(ids: readonly number[], permits: number): void {
    const named = ids.slice(0, permits);
    const group = { ids: new Set(named), unnamed: permits - named.length, since: performance.now(), asked: false };
    this.#groups.add(group);
    this.#end(group);
  }

  /** The server does not know these any more. */
  gone(ids: readonly number[]): void {
    let freed = 0;
    for (const group of this.#groups) {
      for (const id of ids) if (group.ids.delete(id)) freed++;
      if (group.ids.size === 0 && group.unnamed === 0) this.#groups.delete(group);
    }
    if (freed > 0) this.#broker.freeOrphans(freed);
  }

  tick(): void {
    const now = performance.now();
    for (const group of this.#groups) {
      this.#end(group);
      if (now - group.since < (group.asked ? databaseLimits.closeMs : databaseLimits.orphanMs)) continue;
      this.#groups.delete(group);
      this.#broker.freeOrphans(group.ids.size + group.unnamed);
    }
  }

  #end(group: Group): void {
    if (!group.asked && group.ids.size > 0) group.asked = this.#ask([...group.ids]);
  }
}
