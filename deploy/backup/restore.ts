import type { Readable } from 'node:stream';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Env } from '../../runtime/contract/env.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { appDatabaseLimits as limits } from '../../runtime/contract/limits.ts';
import { appOfSchema, quoteName, restoredSchema } from '../database/own/names.ts';
import { leave } from '../mysql/leave.ts';
import { type AppData, appDataOf, withSchema } from './app-data.ts';
import type { ClientPrograms } from './dump-source.ts';
import { loadDump } from './load.ts';

export interface RestoreOptions {
  app: string;
  env: Env;
  programs: ClientPrograms;
  from: Readable;
  now: Date;
  /** Makes the app live with this DATABASE_URL. */
  switchTo: (url: string) => Promise<unknown>;
  signal: AbortSignal;
}

/** What a restore has done. */
export interface Restored {
  /** The schema that the app uses now, and the one it used before, which is as it was. */
  schema: string;
  former: string;
  tables: number;
  sqlBytes: number;
}

/**
 * Loads a backup into a schema of its own and makes the app live with that: until then nobody notices, and the former schema stays, so
 * a rollback undoes it. It is done with the app's own rights: a backup can do nothing that the app cannot. Rejects with
 * FN_RESTORE or FN_NO_DATABASE; the new schema is gone then.
 */
export async function restoreApp(options: RestoreOptions): Promise<Restored> {
  const { app, env, programs, from, now, switchTo, signal } = options;
  const data = appDataOf(app, env);
  if (appOfSchema(data.schema) !== app) {
    throw new FnrunError('FN_RESTORE', `${app} uses a database that fnrun has not made: ${data.schema}`, {
      hint: `a backup is plain SQL: gunzip < FILE | mariadb ${data.schema}`,
    });
  }
  const schema = await makeSchema(data, { app, now });
  try {
    const address = { ...data.address, database: schema };
    const sqlBytes = await loadDump({ address, programs, from, signal });
    const count = 'SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_schema = ?';
    const [row] = await ask(data, count, [schema]);
    await switchTo(withSchema(data.url, schema));
    return { schema, former: data.schema, tables: Number(row?.['n']), sqlBytes };
  } catch (error) {
    await ask(data, `DROP DATABASE ${quoteName(schema)}`).catch(() => undefined);
    throw error;
  }
}

/** Named after this second; when another restore has that, after the next one that is free. */
async function makeSchema(data: AppData, { app, now }: Pick<RestoreOptions, 'app' | 'now'>): Promise<string> {
  for (let tries = 1; ; tries++) {
    const schema = restoredSchema(app, new Date(now.getTime() + (tries - 1) * 1_000));
    try {
      await ask(data, `CREATE DATABASE ${quoteName(schema)} CHARACTER SET utf8mb4`);
      return schema;
    } catch (error) {
      const isTaken = ((error as Error).cause as { code?: string } | undefined)?.code === 'ER_DB_CREATE_EXISTS';
      if (!isTaken || tries === limits.schemaNames) throw error;
    }
  }
}

async function ask({ address }: AppData, sql: string, values: unknown[] = []): Promise<RowDataPacket[]> {
  const { createConnection } = await import('mysql2/promise');
  let connection: Connection | null = null;
  try {
    connection = await createConnection({ ...address, connectTimeout: limits.connectMs });
    connection.on('error', () => undefined);
    const [rows] = await connection.query<RowDataPacket[]>({ sql, values, timeout: limits.statementMs });
    return Array.isArray(rows) ? rows : [];
  } catch (cause) {
    throw new FnrunError('FN_RESTORE', `The database of the app cannot be used: ${(cause as Error).message}`, {
      cause,
      hint: 'the app goes on with the data that it has',
    });
  } finally {
    if (connection !== null) leave(connection);
  }
}
