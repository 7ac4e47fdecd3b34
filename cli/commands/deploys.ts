import type { DeploymentBody, DeploymentsBody } from '../../router/control/types.ts';
import { createControlClient } from '../control-client.ts';
import { defineCommand, homeOption, jsonOption } from '../command.ts';
import { resolveHome } from '../home.ts';
import { formatAge, formatDuration, renderTable } from '../table.ts';

export const command = defineCommand({
  name: 'deploys',
  summary: 'list the deployments of an app, newest first',
  usage: 'deploys APP',
  options: { ...homeOption, ...jsonOption },
  positionals: [1, 1],
  run: async ({ positionals, values, env, cwd, json, out }) => {
    const app = encodeURIComponent(positionals[0] ?? '');
    const client = createControlClient(resolveHome(values.home, { env, cwd }));
    const { deployments } = await client.request<DeploymentsBody>('GET', `/v1/apps/${app}/deployments`);
    if (json) {
      out(JSON.stringify(deployments, null, 2));
    } else if (deployments.length === 0) {
      out('No deployments yet. Make one with: git push');
    } else {
      out(renderTable(['RELEASE', 'STATE', 'BY', 'COMMIT', 'WHEN', 'TOOK', 'SUBJECT'], deployments.map(row)));
    }
    return 0;
  },
});

function row(deployment: DeploymentBody): string[] {
  const { release, state, source, commit, startedAt, durationMs, subject, error, note, live } = deployment;
  return [
    release ?? '-',
    live ? 'live' : note === null ? state : 'taken back',
    source,
    commit.slice(0, 8),
    formatAge(startedAt, { nowMs: Date.now() }),
    durationMs === null ? '-' : formatDuration(durationMs),
    error === null && note === null ? subject : `${subject} (${error ?? note})`,
  ];
}
