import { openAdmin, type DatabaseAdmin } from '../../deploy/database/own/admin.ts';
import { dropAll, dropSchemas } from '../../deploy/database/own/drop.ts';
import { giveDatabase, type DatabaseApps } from '../../deploy/database/own/give.ts';
import { openRecords } from '../../deploy/database/own/records.ts';
import { localSum, raiseConnections } from '../../deploy/database/own/raise-connections.ts';
import { syncDatabases } from '../../deploy/database/own/sync-databases.ts';
import type { DatabaseBudgetsBody } from '../../router/control/database-types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { defineCommand, homeOption, jsonOption, type CommandContext } from '../command.ts';
import { createControlClient, type ControlClient } from '../control-client.ts';
import { controlApps } from '../databases/control-apps.ts';
import { listDatabases } from '../databases/list-databases.ts';
import { requireSocket, socketOption } from '../databases/socket.ts';
import { resolveHome } from '../home.ts';
import { renderTable } from '../table.ts';

const options = {
  former: { type: 'boolean', description: 'drop: only what restores have left; the app and its data stay' },
  yes: { type: 'boolean', description: 'drop: do it' },
  ...socketOption,
  ...homeOption,
  ...jsonOption,
} as const;

interface Call {
  admin: DatabaseAdmin;
  apps: DatabaseApps;
  client: ControlClient;
  context: CommandContext<typeof options>;
}

const actions: Readonly<Record<string, { app: boolean; run: (call: Call, app: string) => Promise<number> }>> = {
  list: { app: false, run: list },
  sync: { app: false, run: sync },
  // Needs no administrator.
  budgets: { app: false, run: async (call) => await budgets(call) },
  attach: { app: true, run: attach },
  drop: { app: true, run: drop },
};

export const command = defineCommand({
  name: 'databases',
  summary: "list and look after the databases that this server's apps have on it",
  usage: 'databases [list|sync|budgets|attach APP|drop APP [--former] --yes]',
  options,
  positionals: [0, 2],
  details: [
    '  list         every schema of an app, its size, and whether the app uses it (the default)',
    '  sync         gives apps that have no DATABASE_URL a schema, a user and that variable; done when an app is made',
    '  budgets      what the live apps may open on which server, and the sum of it on this machine',
    '  attach APP   gives APP what is there under its name: after it has unset DATABASE_URL, or of a removed app',
    '  drop APP     removes schemas and user of a removed app for good; with --former those from before restores',
    '',
    'For the administrator, on the server: it talks to the database server as root by its unix socket.',
    'The data of a removed app stay until they are dropped here. Backups are not touched.',
  ].join('\n'),
  run: async (context) => {
    const [name = 'list', app] = context.positionals;
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined || (app !== undefined) !== action.app) {
      throw new FnrunError('FN_USAGE', `databases ${context.positionals.join(' ')} is not understood`, {
        hint: 'see: fnrun databases --help',
      });
    }
    const { values, cwd } = context;
    const client = createControlClient(resolveHome(values.home, context));
    if (name === 'budgets') return await budgets({ client, context });
    const admin = await openAdmin({ socketPath: requireSocket(values.socket, { cwd }) });
    try {
      return await action.run({ admin, apps: controlApps(client), client, context }, app ?? '');
    } finally {
      admin.close();
    }
  },
});

async function list({ admin, apps, context: { json, out } }: Call): Promise<number> {
  const rows = await listDatabases(admin, apps);
  if (json) out(JSON.stringify(rows, null, 2));
  else if (rows.length === 0) out('No databases. Apps get theirs with: fnrun databases sync');
  else {
    const cells = rows.map((row) => [
      row.app,
      row.schema,
      row.state,
      String(row.tables),
      `${(row.bytes / 1e6).toFixed(1)} MB`,
    ]);
    out(renderTable(['APP', 'SCHEMA', 'STATE', 'TABLES', 'SIZE'], cells));
  }
  return 0;
}

async function sync({ admin, apps, client, context: { json, out } }: Call): Promise<number> {
  const synced = await syncDatabases(admin, apps);
  const { budgets } = await client.request<DatabaseBudgetsBody>('GET', '/v1/database-budgets');
  const connections = await raiseConnections(admin, { sum: localSum(budgets) });
  const said = synced.flatMap(({ message }) => message ?? []);
  if (connections !== null) said.push(`max_connections is ${connections} now, until the database server is restarted`);
  if (json) out(JSON.stringify({ databases: synced, maxConnections: connections }, null, 2));
  else for (const line of said.length === 0 ? ['Nothing to do.'] : said) out(line);
  return synced.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}

async function budgets({ client, context: { json, out } }: Pick<Call, 'client' | 'context'>): Promise<number> {
  const { budgets: all } = await client.request<DatabaseBudgetsBody>('GET', '/v1/database-budgets');
  const sum = localSum(all);
  if (json) out(JSON.stringify({ localSum: sum, budgets: all }, null, 2));
  else {
    const rows = all.map(({ app, server, connections }) => [app, server, String(connections)]);
    out(renderTable(['APP', 'SERVER', 'CONNECTIONS'], [...rows, ['(sum)', 'this machine', String(sum)]]));
  }
  return 0;
}

async function attach({ admin, apps, context: { json, out } }: Call, name: string): Promise<number> {
  const app = (await apps.list()).find((each) => each.name === name);
  if (app === undefined || app.previewOf !== null) {
    throw new FnrunError('FN_NO_SUCH_APP', `There is no app ${JSON.stringify(name)}`, { hint: 'see: fnrun apps' });
  }
  const outcome = await giveDatabase({ admin, records: await openRecords(admin), apps }, app, { attach: true });
  const words =
    outcome === 'own' ? `${name} has a DATABASE_URL of its own: unset it first` : `${name} has its database`;
  out(json ? JSON.stringify({ app: name, outcome }) : words);
  return outcome === 'own' ? 1 : 0;
}

async function drop({ admin, apps, context }: Call, name: string): Promise<number> {
  const { values, json, out } = context;
  const rows = (await listDatabases(admin, apps)).filter((row) => row.app === name);
  const wanted = rows.filter(({ state }) => (values.former === true ? state === 'former' : true));
  if (values.former !== true && (await apps.list()).some((each) => each.name === name)) {
    throw new FnrunError('FN_USAGE', `${name} is an app of this server: its database is not dropped`, {
      hint: `remove it first (fnrun apps remove ${name}), or drop what restores have left: --former`,
    });
  }
  const shown = wanted.map(({ schema, tables }) => `${schema} (${tables} tables)`).join(', ');
  if (wanted.length > 0 && values.yes !== true) {
    throw new FnrunError('FN_USAGE', `This removes ${shown} for good`, { hint: 'to do it, add --yes' });
  }
  if (values.former === true) {
    await dropSchemas(
      admin,
      wanted.map(({ schema }) => schema),
    );
  } else await dropAll({ admin, records: await openRecords(admin) }, name);
  if (json) out(JSON.stringify({ app: name, dropped: wanted.map(({ schema }) => schema) }));
  else out(wanted.length === 0 ? `${name} has nothing to drop.` : `Dropped ${shown}.`);
  return 0;
}
