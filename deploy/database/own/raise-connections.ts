import { appDatabaseLimits, databaseLimits, databaseServerLimits } from '../../../runtime/contract/limits.ts';
import type { DatabaseAdmin } from './admin.ts';

/**
 * Connections that the server is set up for, given the sum of its apps' budgets: in steps, so that the configuration is
 * not another one with every app, and with room for the next app. What people need comes on top.
 */
export function appConnectionsFor(sum: number): number {
  const { connectionsStep: step } = appDatabaseLimits;
  const wanted = Math.ceil((sum + databaseLimits.maxConnections) / step) * step;
  return Math.max(wanted, databaseServerLimits.connectionsAssumed);
}

/**
 * Raises `max_connections` of the running server to what its apps need. Resolves to the new figure; null: it suffices.
 * It holds until the server is restarted: `fnrun server setup` writes it down.
 */
export async function raiseConnections(admin: DatabaseAdmin, { sum }: { sum: number }): Promise<number | null> {
  const needed = appConnectionsFor(sum) + databaseLimits.serverReserved;
  const [row] = await admin.run('SELECT @@GLOBAL.max_connections AS most');
  if (Number(row?.['most']) >= needed) return null;
  await admin.run('SET GLOBAL max_connections = ?', [needed]);
  return needed;
}

/** The sum of the budgets on a server of this machine, of those on all servers. */
export function localSum(budgets: readonly { server: string; connections: number }[]): number {
  const local = /^(?:\/|127\.|\[?::1\]?:|localhost:)/;
  return budgets.reduce((sum, { server, connections }) => (local.test(server) ? sum + connections : sum), 0);
}
