import type { BuildSuccess } from '../../builder/build.ts';
import { resolveDatabases } from '../../runtime/contract/database.ts';
import type { Manifest } from '../../runtime/contract/manifest.ts';
import type { Account } from '../account/account.ts';
import { tell } from '../account/lines.ts';
import type { DeployContext, ManagedApp } from '../context.ts';
import { Rejection } from '../rejection.ts';
import { findRelease, readBuildManifest, releaseDir } from '../release-ref.ts';
import { checkBudget } from './check-budget.ts';
import type { AppBudget } from './check-budget.ts';
import { addressIn, askMaxConnections, serverName } from './server.ts';

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
  const own = await budgetsOf(context, app, { env, manifest: built.manifest });
  if (own.size === 0) return;
  const all = new Map([...own].map(([server, { connections }]) => [server, [{ app: app.name, connections }]]));
  for (const budget of await budgetsOfOthers(context, app)) all.get(budget.server)?.unshift(budget);
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

type OwnBudget = { connections: number; address: NonNullable<ReturnType<typeof addressIn>> };

async function budgetsOf(
  context: DeployContext,
  app: ManagedApp,
  { env, manifest }: { env: string; manifest: Pick<Manifest, 'database'> },
): Promise<Map<string, OwnBudget>> {
  const values = await context.vault.read({ app: app.name, id: env });
  const budgets = new Map<string, OwnBudget>();
  for (const settings of Object.values(resolveDatabases(manifest.database))) {
    const address = addressIn(values, settings);
    if (address === null) continue;
    const server = serverName(address);
    const before = budgets.get(server)?.connections ?? 0;
    budgets.set(server, { connections: before + settings.maxConnections, address });
  }
  return budgets;
}

/** Of what is live of the other apps; one that cannot be read counts nothing. */
async function budgetsOfOthers(context: DeployContext, app: ManagedApp): Promise<(AppBudget & { server: string })[]> {
  const others = context.apps().filter((each) => each.name !== app.name && each.previewOf === null);
  const all = await Promise.all(
    others.map(async (other) => {
      const { live } = other;
      if (live === null || live.env === null) return [];
      try {
        const release = await findRelease(context, other, live.release);
        const manifest = await readBuildManifest(releaseDir(other, release));
        const budgets = await budgetsOf(context, other, { env: live.env, manifest });
        return [...budgets].map(([server, { connections }]) => ({ server, app: other.name, connections }));
      } catch {
        return [];
      }
    }),
  );
  return all.flat();
}
