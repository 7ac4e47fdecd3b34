import { FnrunError } from '../../runtime/contract/errors.ts';
import { hostLimits } from '../../runtime/contract/limits.ts';
import type { AppBody, AppsBody, ChangeAppBody, CreateAppBody } from '../../router/control/types.ts';
import { defineCommand, homeOption, jsonOption, type CommandContext } from '../command.ts';
import { resolveHome } from '../home.ts';
import { formatAge, renderTable } from '../table.ts';
import { createControlClient, type ControlClient } from '../control-client.ts';

const options = {
  branch: {
    type: 'string',
    value: 'B',
    description: 'the branch that deploys (default: main, or master while there is no main)',
  },
  ...homeOption,
  ...jsonOption,
} as const;
type Context = CommandContext<typeof options>;

export const command = defineCommand({
  name: 'apps',
  summary: 'list, create, change or remove apps',
  usage: 'apps [list|create NAME|set NAME|remove NAME] [--branch B]',
  options,
  positionals: [0, 2],
  remote: { app: false },
  details: [
    '  list           the apps of the server and what is live (the default)',
    '  create NAME    makes the app and its git repository',
    '  set NAME       changes the branch that deploys (--branch B), from the next push on',
    '  remove NAME    stops the app and deletes its repository, releases and logs',
  ].join('\n'),
  run: async (context) => {
    const [action = 'list', name] = context.positionals;
    const client = createControlClient(resolveHome(context.values.home, context));
    if (action === 'list') return await list(client, context);
    const act = actions.get(action);
    if (act === undefined) {
      throw new FnrunError('FN_USAGE', `apps ${action} is nothing fnrun can do`, { hint: 'see: fnrun apps --help' });
    }
    if (name === undefined) {
      throw new FnrunError('FN_USAGE', `apps ${action} needs a name`, { hint: `usage: fnrun apps ${action} NAME` });
    }
    return await act(client, { name, context });
  },
});

type Action = (client: ControlClient, options: { name: string; context: Context }) => Promise<number>;

const actions: ReadonlyMap<string, Action> = new Map([
  ['create', create],
  ['set', set],
  ['remove', remove],
]);

async function list(client: ControlClient, { json, out }: Context): Promise<number> {
  const { apps } = await client.request<AppsBody>('GET', '/v1/apps');
  if (json) {
    out(JSON.stringify(apps, null, 2));
  } else if (apps.length === 0) {
    out('No apps yet. Make one with: fnrun apps create NAME');
  } else {
    out(renderTable(['APP', 'LIVE', 'BRANCH', 'FUNCTIONS', 'SINCE', 'URL'], apps.map(row)));
  }
  return 0;
}

function row({ name, live, branch, url }: AppBody): string[] {
  if (live === null) return [name, '-', branch, '-', '-', url ?? '-'];
  return [name, live.release, branch, String(live.functions), formatAge(live.since, { nowMs: Date.now() }), url ?? '-'];
}

async function create(client: ControlClient, { name, context }: { name: string; context: Context }): Promise<number> {
  const { branch } = context.values;
  const body: CreateAppBody = branch === undefined ? { name } : { name, branch };
  const app = await client.request<AppBody>('POST', '/v1/apps', { body, deadlineMs: hostLimits.controlNewAppMs });
  if (context.json) {
    context.out(JSON.stringify(app, null, 2));
    return 0;
  }
  context.out(`Created ${app.name}. To push an app to it:`);
  context.out('');
  context.out(`  git remote add fnrun ${app.repository}`);
  context.out(`  git push fnrun ${app.branch}`);
  if (app.url !== null) context.out(`\nIt will answer at ${app.url}`);
  return 0;
}

async function set(client: ControlClient, { name, context }: { name: string; context: Context }): Promise<number> {
  const { branch } = context.values;
  if (branch === undefined) {
    throw new FnrunError('FN_USAGE', 'apps set needs something to set', {
      hint: 'usage: fnrun apps set NAME --branch B',
    });
  }
  const body: ChangeAppBody = { branch };
  const app = await client.request<AppBody>('PATCH', `/v1/apps/${encodeURIComponent(name)}`, { body });
  context.out(context.json ? JSON.stringify(app, null, 2) : `${app.name} deploys ${app.branch} from the next push on.`);
  return 0;
}

async function remove(client: ControlClient, { name, context }: { name: string; context: Context }): Promise<number> {
  await client.request('DELETE', `/v1/apps/${encodeURIComponent(name)}`);
  context.out(context.json ? JSON.stringify({ removed: name }) : `Removed ${name}.`);
  return 0;
}
