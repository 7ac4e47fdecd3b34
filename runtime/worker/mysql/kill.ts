import { setTimeout as sleep } from 'node:timers/promises';
import { databaseLimits } from '../../contract/limits.ts';
import type { RawPool } from './internals.ts';

/** Ends the statement that runs in the connection of this number, by way of another. */
export function killStatement(pool: RawPool, id: number): void {
  pool.query(`KILL QUERY ${id}`, [], () => {});
}

/** Who asks for others before its own. */
interface Asker {
  queryFirst(sql: string, callback: (error: Error | null, rows: unknown[]) => void): void;
}

/** Ends connections whose threads have died. Resolves when the server does not know them any more. */
export async function killConnections(asker: Asker, ids: readonly number[]): Promise<void> {
  const ask = (sql: string): Promise<unknown[]> =>
    new Promise((resolve, reject) => {
      asker.queryFirst(sql, (error, rows) => (error === null ? resolve(rows) : reject(error)));
    });
  const numbers = ids.map(Number);
  // One that has ended by itself is unknown by now.
  for (const id of numbers) await ask(`KILL CONNECTION ${id}`).catch(() => {});
  const left = `SELECT ID FROM information_schema.PROCESSLIST WHERE ID IN (${numbers.join(', ')})`;
  while ((await ask(left)).length > 0) await sleep(databaseLimits.askEveryMs);
}
