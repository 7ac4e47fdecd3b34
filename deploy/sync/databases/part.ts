import { isAppName } from '../../app-name.ts';
import { openAdmin } from '../../database/own/admin.ts';
import type { DatabaseApps } from '../../database/own/give.ts';
import { localSum, raiseConnections } from '../../database/own/raise-connections.ts';
import { syncDatabases } from '../../database/own/sync-databases.ts';
import type { DatabaseBudgetsBody } from '../../../router/control/database-types.ts';
import type { SyncProblem } from '../../../router/control/domain-types.ts';
import type { AppsBody, EnvBody } from '../../../router/control/types.ts';
import type { Ask, SyncPart } from '../part.ts';

/** Gives every app its schema, its user and its DATABASE_URL, and the server room for their connections. */
export function createDatabasesPart({ socketPath }: { socketPath: string }): SyncPart {
  return {
    id: 'databases',
    run: async ({ server, ask }) => {
      if (server.database === 'none') return { changed: [], problems: [] };
      const admin = await openAdmin({ socketPath });
      try {
        const changed: string[] = [];
        const problems: SyncProblem[] = [];
        for (const { app, outcome, message } of await syncDatabases(admin, appsBehind(ask))) {
          if (message === null) continue;
          if (outcome === 'given' || outcome === 'mended') changed.push(message);
          // What is kept, or was unset, is so by somebody's will: fnrun databases tells it.
          if (outcome === 'failed' || outcome === 'of-removed') {
            problems.push({ app, subject: 'database', message, hint: null });
          }
        }
        const { budgets } = (await ask('GET', '/v1/database-budgets')) as DatabaseBudgetsBody;
        const most = await raiseConnections(admin, { sum: localSum(budgets) });
        if (most !== null) changed.push(`raised max_connections to ${most}`);
        return { changed, problems };
      } finally {
        admin.close();
      }
    },
  };
}

/** The apps as the daemon tells them; one with a name that no app can have is none. */
function appsBehind(ask: Ask): DatabaseApps {
  return {
    list: async () => {
      const { apps } = (await ask('GET', '/v1/apps')) as AppsBody;
      const named = apps.filter(({ name, preview }) => preview === null && isAppName(name));
      return named.map(({ name, createdAt }) => ({
        name,
        createdAt: new Date(createdAt).toISOString(),
        previewOf: null,
      }));
    },
    readEnv: async (app) => {
      const { variables } = (await ask('GET', `/v1/apps/${app}/env?values=1`)) as EnvBody;
      return Object.fromEntries(variables.map(({ name, value = '' }) => [name, value]));
    },
    setEnv: async (app, set) => void (await ask('POST', `/v1/apps/${app}/env`, { set })),
  };
}
