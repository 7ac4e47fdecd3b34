import type { BuildSuccess } from '../../builder/build.ts';
import type { Account } from '../account/account.ts';
import { tell } from '../account/lines.ts';
import type { DeployContext, ManagedApp } from '../context.ts';
import { Rejection } from '../rejection.ts';
import { budgetsIn, liveBudgets } from './budgets.ts';
import { checkBudget } from './check-budget.ts';
import { askMaxConnections } from './server.ts';

/** A build that is about to become a candidate. */
export interface GuardOptions {
  built: BuildSuccess;
  /** Its environment. */
  env: string | null;
  account: Account;
}

/**
 * Refuses a release with which the apps of this server could open more connections than a database server takes.
 * A server that does not answer is not judged: what uses it hears of that itself.
 */
export async function guardDatabaseBudget(
  context: DeployContext,
  app: ManagedApp,
  { built, env, account }: GuardOptions,
): Promise<void> {
  // A preview has a part of its app's budget.
  if (env === null || app.previewOf !== null) return;
  const own = await budgetsIn(context, app, { env, manifest: built.manifest });
  if (own.size === 0) return;
  const all = new Map([...own].map(([server, { connections }]) => [server, [{ app: app.name, connections }]]));
  for (const budget of await liveBudgets(context, { except: app.name })) all.get(budget.server)?.unshift(budget);
  for (const [server, budgets] of all) {
    const maxConnections = await askMaxConnections(own.get(server)!.address).catch(() => null);
    if (maxConnections === null) {
      tell(account, 'database', `${server} does not answer: its connections are not added up`);
      continue;
    }
    const { fits, sum } = checkBudget({ server, maxConnections, budgets });
    if (!fits) {
      throw new Rejection(`the apps could open more connections than the database server ${server} takes: ${sum}`, {
        hint: 'lower database.maxConnections in fnrun.json of one of them, or raise max_connections of the server',
        record: `more connections than the database server takes: ${sum}`,
      });
    }
    tell(account, 'database', `connections ${sum}`);
  }
}
