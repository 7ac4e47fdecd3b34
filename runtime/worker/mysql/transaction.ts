import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolConnection } from 'mysql2/promise';
import { databaseLimits } from '../../contract/limits.ts';
import type { TransactionOptions } from '../../contract/mysql.ts';
import { isRetryable } from './failures.ts';

/**
 * Runs `work` in a transaction: committed when it resolves, rolled back when it throws. After a deadlock (1213) or a
 * lock wait timeout (1205) all of it is rolled back and `work` is called again, `retries` times at most.
 */
export async function runTransaction<T>(
  pool: Pool,
  work: (connection: PoolConnection) => Promise<T> | T,
  options: TransactionOptions = {},
): Promise<T> {
  const { retries = databaseLimits.transactionRetries, isolation } = options;
  for (let attempt = 0; ; attempt++) {
    const connection = await pool.getConnection();
    try {
      if (isolation !== undefined) await connection.query(`SET TRANSACTION ISOLATION LEVEL ${levelOf(isolation)}`);
      await connection.query('START TRANSACTION');
      const result = await work(connection);
      await connection.query('COMMIT');
      return result;
    } catch (error) {
      await rollBack(connection);
      if (attempt >= retries || !isRetryable(error)) throw error;
    } finally {
      connection.release();
    }
    // The two that met must not meet again.
    await sleep(databaseLimits.transactionPauseMs * 2 ** attempt * (0.5 + Math.random()));
  }
}

function levelOf(isolation: NonNullable<TransactionOptions['isolation']>): string {
  const level = isolation.toUpperCase();
  if (/^(?:READ UNCOMMITTED|READ COMMITTED|REPEATABLE READ|SERIALIZABLE)$/.test(level)) return level;
  throw new TypeError(`There is no isolation level "${isolation}"`);
}

async function rollBack(connection: PoolConnection): Promise<void> {
  try {
    await connection.query('ROLLBACK');
  } catch {
    // Whatever is left of it ends with the connection.
    connection.destroy();
  }
}
