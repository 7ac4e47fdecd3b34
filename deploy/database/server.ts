import type { RowDataPacket } from 'mysql2';
import { parseDatabaseUrl } from '../../runtime/contract/database-url.ts';
import type { DatabaseAddress } from '../../runtime/contract/database-url.ts';
import type { DatabaseSettings } from '../../runtime/contract/database.ts';
import type { Env } from '../../runtime/contract/env.ts';
import { databaseLimits } from '../../runtime/contract/limits.ts';
import { leave } from '../mysql/leave.ts';

/** The address that an app's environment gives for a database; null: none that can be used. */
export function addressIn(env: Env, { env: variable }: Pick<DatabaseSettings, 'env'>): DatabaseAddress | null {
  const url = env[variable];
  if (url === undefined) return null;
  try {
    return parseDatabaseUrl(url, { name: variable, ca: env[variable.replace(/(?:_URL)?$/, '_CA')] });
  } catch {
    // Whoever uses it hears of it.
    return null;
  }
}

/** What tells two servers apart, and can be shown. */
export function serverName({ socketPath, host, port }: DatabaseAddress): string {
  return socketPath ?? `${host}:${port}`;
}

/** Asks a server for its `max_connections`, over one connection that is closed at once. */
export async function askMaxConnections(address: DatabaseAddress): Promise<number> {
  // Few servers have apps with databases: mysql2 is loaded when one has.
  const { createConnection } = await import('mysql2/promise');
  const connection = await createConnection({ ...address, connectTimeout: databaseLimits.serverAskMs });
  try {
    const sql = 'SELECT @@max_connections AS most';
    const [rows] = await connection.query<RowDataPacket[]>({ sql, timeout: databaseLimits.serverAskMs });
    return Number(rows[0]!['most']);
  } finally {
    leave(connection);
  }
}
