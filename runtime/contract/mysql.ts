/**
 * The module `fnrun/mysql`, as functions import it. Declarations only: fnrun gives it to the functions it serves.
 * docs/mysql.md tells more.
 */
import type { Pool as CallbackPool } from 'mysql2';
import type { Pool, PoolConnection } from 'mysql2/promise';

/** A connection as `transaction` hands it to its callback. */
export type Connection = PoolConnection;

/** How a transaction runs. */
export interface TransactionOptions {
  /** Tries after a deadlock or a lock wait timeout. @default 3 */
  retries?: number;
  isolation?: 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable';
}

/** Runs the callback in a transaction: committed when it resolves, rolled back when it throws. */
export type Transaction = <T>(
  work: (connection: Connection) => Promise<T> | T,
  options?: TransactionOptions,
) => Promise<T>;

/** A database that fnrun.json names under `database.named`. */
export interface Database {
  readonly pool: Pool;
  readonly callbackPool: CallbackPool;
  readonly transaction: Transaction;
}

/** mysql2's pool (promises) of the database of DATABASE_URL. */
export declare const pool: Pool;

/** The same pool with callbacks, for libraries that want that: Kysely's `MysqlDialect`. */
export declare const callbackPool: CallbackPool;

/** The named database. Throws when fnrun.json names none so. */
export declare function database(name: string): Database;

export declare const transaction: Transaction;
