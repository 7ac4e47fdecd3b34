import { appConnectionsFor, localSum } from '../../deploy/database/own/raise-connections.ts';
import type { DatabaseBudgetsBody } from '../../router/control/database-types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { createControlClient } from '../control-client.ts';

/**
 * Connections that a database server of this machine is to have room for, as the fnrun server in `home` knows what its apps
 * may open, with room for the next app. Null: no such server runs, or it is not ours to ask.
 */
export async function askAppConnections(home: string): Promise<number | null> {
  try {
    const { budgets } = await createControlClient(home).request<DatabaseBudgetsBody>('GET', '/v1/database-budgets');
    return appConnectionsFor(localSum(budgets));
  } catch (error) {
    if (error instanceof FnrunError) return null;
    throw error;
  }
}
