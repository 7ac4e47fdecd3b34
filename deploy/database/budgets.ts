import { resolveDatabases } from '../../runtime/contract/database.ts';
import type { Manifest } from '../../runtime/contract/manifest.ts';
import type { DatabaseBudgetBody } from '../../router/control/database-types.ts';
import type { DeployContext, ManagedApp } from '../context.ts';
import { findRelease, readBuildManifest, releaseDir } from '../release-ref.ts';
import { addressIn, serverName } from './server.ts';

/** What an app may open on one server. */
export interface ServerBudget {
  connections: number;
  address: NonNullable<ReturnType<typeof addressIn>>;
}

/** What a build with this environment may open, by server as `serverName` has it. */
export async function budgetsIn(
  context: DeployContext,
  app: ManagedApp,
  { env, manifest }: { env: string; manifest: Pick<Manifest, 'database'> },
): Promise<Map<string, ServerBudget>> {
  const values = await context.vault.read({ app: app.name, id: env });
  const budgets = new Map<string, ServerBudget>();
  for (const settings of Object.values(resolveDatabases(manifest.database))) {
    const address = addressIn(values, settings);
    if (address === null) continue;
    const server = serverName(address);
    const before = budgets.get(server)?.connections ?? 0;
    budgets.set(server, { connections: before + settings.maxConnections, address });
  }
  return budgets;
}

/** Of what is live of all apps but one; previews have a part of their app's. One that cannot be read counts nothing. */
export async function liveBudgets(
  context: DeployContext,
  { except = null }: { except?: string | null } = {},
): Promise<DatabaseBudgetBody[]> {
  const apps = context.apps().filter((each) => each.name !== except && each.previewOf === null);
  return (await Promise.all(apps.map(async (app) => await liveBudgetOf(context, app)))).flat();
}

async function liveBudgetOf(context: DeployContext, app: ManagedApp): Promise<DatabaseBudgetBody[]> {
  const { live } = app;
  if (live === null || live.env === null) return [];
  try {
    const release = await findRelease(context, app, live.release);
    const manifest = await readBuildManifest(releaseDir(app, release));
    const budgets = await budgetsIn(context, app, { env: live.env, manifest });
    return [...budgets].map(([server, { connections }]) => ({ server, app: app.name, connections }));
  } catch {
    return [];
  }
}
