import { setTimeout as sleep } from 'node:timers/promises';
import { databaseLimits } from '../../contract/limits.ts';
import type { RawPool } from './internals.ts';

/** Ends the statement that runs in the connection of this number, by way of another. */
export function killStatement(pool: RawPool, id: number): void {
  pool.query(`KILL QUERY ${id}`, [], () => {});
}

/** Who asks for others before its own, and tells what came of it. */
interface Asker {
  queryFirst(sql: string, callback: (error: Error | null, rows: unknown[]) => void): void;
  readonly permits: { gone(ids: readonly number[]): void };
}

/** Ends connections whose threads have died, as far as a worker has one to do so with. */
export class OrphanKiller {
  readonly #asker: Asker;
  #asking = 0;

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /** Its connection must stay until it is done. */
  get isAsking(): boolean {
    return this.#asking > 0;
  }

  /** Tells when the server does not know them any more. */
  async end(ids: readonly number[]): Promise<void> {
    this.#asking++;
    try {
      // Those that have ended by themselves are unknown by now. A number may be another's, after a restart of the server or
      // in another server: that of another user's connection is left alone.
      const left =
        'SELECT ID AS id FROM information_schema.PROCESSLIST ' +
        `WHERE ID IN (${ids.map(Number).join(', ')}) AND USER = SUBSTRING_INDEX(USER(), '@', 1)`;
      for (const { id } of await this.#ask(left)) await this.#ask(`KILL CONNECTION ${id}`).catch(() => {});
      while ((await this.#ask(left)).length > 0) await sleep(databaseLimits.askEveryMs);
      this.#asker.permits.gone(ids);
    } catch {
      // The host frees them by time.
    } finally {
      this.#asking--;
    }
  }

  #ask(sql: string): Promise<{ id: number }[]> {
    return new Promise((resolve, reject) => {
      this.#asker.queryFirst(sql, (error, rows) =>
        error === null ? resolve(rows as { id: number }[]) : reject(error),
      );
    });
  }
}
