import type { RowDataPacket } from 'mysql2';
import type { DatabaseAddress } from '../../runtime/contract/database-url.ts';
import { migrationLimits } from '../../runtime/contract/limits.ts';
import type { DeployContext } from '../context.ts';
import { addressIn } from '../database/server.ts';
import { leave } from '../mysql/leave.ts';
import { connectTo } from './migrate.ts';

/**
 * Whether an address leads to the database that an app has itself, by whatever name: the servers are asked who they are.
 * An app's database that cannot be asked is taken for the same one.
 */
export async function isDatabaseOf(
  context: DeployContext,
  { app, address }: { app: string; address: DatabaseAddress },
): Promise<boolean> {
  const id = (await context.store.getApp(app))?.env ?? null;
  const own = addressIn(await context.vault.read({ app, id }), { env: 'DATABASE_URL' });
  if (own === null) return false;
  const here = await identify(address);
  const there = await identify(own).catch(() => null);
  return there === null || there === here;
}

async function identify(address: DatabaseAddress): Promise<string> {
  const connection = await connectTo(address);
  try {
    const sql = 'SELECT @@hostname AS host, @@port AS port, @@datadir AS dir, @@socket AS path, DATABASE() AS name';
    const [rows] = await connection.query<RowDataPacket[]>({ sql, timeout: migrationLimits.askMs });
    return JSON.stringify(rows[0]);
  } finally {
    leave(connection);
  }
}
