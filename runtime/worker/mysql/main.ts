/**
 * `fnrun/mysql` as a worker gives it to its function: a file of its own in dist/, with mysql2 in it, which a
 * thread loads when the first function that imports it is loaded there.
 */
import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Pool as CallbackPool } from 'mysql2';
import type { Pool } from 'mysql2/promise';
import { mainDatabase } from '../../contract/database.ts';
import type { DatabaseSettings } from '../../contract/database.ts';
import type { Database } from '../../contract/mysql.ts';
import type { DatabaseToHost, DatabaseToWorker } from '../../channel/frames.ts';
import type { Invocation } from '../invocation.ts';
import { FunctionPool } from './pool.ts';
import type { FunctionPoolOptions } from './options.ts';
import { runTransaction } from './transaction.ts';
import { parseDatabaseUrl } from '../../contract/database-url.ts';

/** What a worker gives for it. */
export interface MysqlServices {
  databases: Readonly<Record<string, DatabaseSettings>>;
  env: Readonly<Record<string, string>>;
  /** Shown in the server's list of connections. */
  program: string;
  invocations: AsyncLocalStorage<Invocation>;
  log: FunctionPoolOptions['log'];
  send: (message: DatabaseToHost) => void;
  placeOf: FunctionPoolOptions['placeOf'];
}

/** The module, and the worker's end of it. */
export interface MysqlRuntime {
  exports: Database & { database(name: string): Database };
  receive(message: DatabaseToWorker): void;
}

/** Makes the module for one function. Nothing is connected before it is used. */
export function createMysql(services: MysqlServices): MysqlRuntime {
  const made = new Map<string, Database & { core: FunctionPool }>();
  const make = (name: string): Database & { core: FunctionPool } => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const settings = Object.hasOwn(services.databases, name) ? services.databases[name] : undefined;
    if (settings === undefined) throw unknownDatabase(name, services);
    const core = new FunctionPool({ ...services, name, settings, address: () => addressOf(settings, services) });
    const pool = core.promise() as Pool;
    const transaction: Database['transaction'] = (work, options) => runTransaction(pool, work, options);
    const database = { pool, callbackPool: core as unknown as CallbackPool, transaction, core };
    made.set(name, database);
    return database;
  };
  const database = (name: string): Database => {
    const { pool, callbackPool, transaction } = make(name);
    return { pool, callbackPool, transaction };
  };
  return {
    exports: { ...database(mainDatabase), database },
    receive: (message) => make(message.name).core.permits.receive(message),
  };
}

function addressOf({ env: variable }: DatabaseSettings, { env }: MysqlServices): ReturnType<typeof parseDatabaseUrl> {
  const url = env[variable];
  if (url === undefined || url === '') {
    throw new Error(
      `Cannot connect to a database: ${variable} is not set. Set it with: fnrun env APP set ${variable}=mysql://…`,
    );
  }
  return parseDatabaseUrl(url, { name: variable, ca: env[variable.replace(/(?:_URL)?$/, '_CA')] });
}

function unknownDatabase(name: string, { databases }: MysqlServices): Error {
  const known = Object.keys(databases).map((each) => `"${each}"`);
  return new Error(
    `There is no database "${name}": fnrun.json#database.named may name one. Known are ${known.join(', ')}`,
  );
}
