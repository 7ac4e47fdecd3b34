import type { AccountEvent, DeploymentBody, DeploymentsBody } from '../../router/control/types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { createControlClient, type ControlClient } from '../control-client.ts';
import { defineCommand, homeOption, jsonOption, type CommandContext } from '../command.ts';
import { showDeployment } from '../deploys/show-deployment.ts';
import { resolveHome } from '../home.ts';
import { formatAge, formatDuration, renderTable } from '../table.ts';

const options = {
  log: { type: 'boolean', description: 'print what its pusher was told so far' },
  follow: { type: 'boolean', short: 'f', description: 'print what its pusher is told, until it ends' },
  cancel: { type: 'boolean', description: 'end it, unless it has been accepted' },
  ...homeOption,
  ...jsonOption,
} as const;

export const command = defineCommand({
  name: 'deploys',
  summary: 'list the deployments of an app, show, follow or cancel one',
  usage: 'deploys APP [ID] [--log | --follow | --cancel]',
  options,
  positionals: [1, 2],
  remote: { app: true },
  details: [
    'With an ID, the time of each step and the size of each function against the release before.',
    'With --log, --follow or --cancel, ID is by default the newest deployment.',
    'BY is what made it live, and in brackets the ssh key that it came by (see: fnrun keys).',
  ].join('\n'),
  run: async (context) => {
    const { positionals, values } = context;
    const client = createControlClient(resolveHome(values.home, context));
    const app = positionals[0] ?? '';
    const actions = [values.log, values.follow, values.cancel].filter((one) => one === true);
    if (actions.length > 1) throw new FnrunError('FN_USAGE', '--log, --follow and --cancel exclude each other');
    const base = `/v1/apps/${encodeURIComponent(app)}/deployments`;
    if (actions.length === 0 && positionals[1] === undefined) return await list(client, base, context);
    const path = `${base}/${encodeURIComponent(positionals[1] ?? (await newest(client, { base, app })))}`;
    if (values.log === true) return await print(client, path, context);
    if (values.follow === true) return await follow(client, path, context);
    if (values.cancel === true) return await cancel(client, path, context);
    return await showDeployment(client, path, context);
  },
});

type Context = CommandContext<typeof options>;

async function list(client: ControlClient, path: string, { json, out }: Context): Promise<number> {
  const { deployments } = await client.request<DeploymentsBody>('GET', path);
  if (json) {
    out(JSON.stringify(deployments, null, 2));
  } else if (deployments.length === 0) {
    out('No deployments yet. Make one with: git push');
  } else {
    out(renderTable(['ID', 'RELEASE', 'STATE', 'BY', 'COMMIT', 'WHEN', 'TOOK', 'SUBJECT'], deployments.map(row)));
  }
  return 0;
}

function row(deployment: DeploymentBody): string[] {
  const { id, release, state, step, source, key, commit, startedAt, durationMs, subject, error, note, live } =
    deployment;
  return [
    id,
    release ?? '-',
    live ? 'live' : note !== null ? 'taken back' : state === 'running' ? step : state,
    key === null ? source : `${source} (${key})`,
    commit.slice(0, 8),
    formatAge(startedAt, { nowMs: Date.now() }),
    durationMs === null ? '-' : formatDuration(durationMs),
    error === null && note === null ? subject : `${subject} (${error ?? note})`,
  ];
}

async function newest(client: ControlClient, { base, app }: { base: string; app: string }): Promise<string> {
  const { deployments } = await client.request<DeploymentsBody>('GET', `${base}?limit=1`);
  const [deployment] = deployments;
  if (deployment !== undefined) return deployment.id;
  throw new FnrunError('FN_NO_SUCH_DEPLOYMENT', `${app} has no deployments yet`, { hint: 'make one with: git push' });
}

async function print(client: ControlClient, path: string, { json, out }: Context): Promise<number> {
  const text = await client.text(`${path}/log`);
  const lines = text.split('\n').slice(0, -1);
  if (json) out(JSON.stringify(lines, null, 2));
  else lines.forEach(out);
  return 0;
}

/** The exit code tells how it ended. */
async function follow(client: ControlClient, path: string, { json, out, signal }: Context): Promise<number> {
  for await (const event of client.stream<AccountEvent>(`${path}/follow`, { signal })) {
    if (json) out(JSON.stringify(event));
    else if (event.type === 'line') out(event.text);
    if (event.type === 'end') return event.ok ? 0 : 1;
  }
  if (signal.aborted) return 0;
  throw new FnrunError('FN_NOT_RUNNING', 'The fnrun server has ended during the deployment', {
    hint: 'start it, then see: fnrun deploys APP',
  });
}

async function cancel(client: ControlClient, path: string, { json, out }: Context): Promise<number> {
  const deployment = await client.request<DeploymentBody>('POST', `${path}/cancel`);
  out(json ? JSON.stringify(deployment, null, 2) : `Cancelled ${deployment.id} of ${deployment.app}.`);
  return 0;
}
