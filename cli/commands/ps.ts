import type { ProcessBody, ProcessesBody } from '../../router/control/types.ts';
import { createControlClient } from '../control-client.ts';
import { defineCommand, homeOption, jsonOption } from '../command.ts';
import { resolveHome } from '../home.ts';
import { formatDuration, formatMegabytes, renderTable } from '../table.ts';

export const command = defineCommand({
  name: 'ps',
  summary: 'show the server and the process of each app',
  usage: 'ps',
  options: { ...homeOption, ...jsonOption },
  positionals: [0, 0],
  run: async ({ values, env, cwd, json, out }) => {
    const client = createControlClient(resolveHome(values.home, { env, cwd }));
    const processes = await client.request<ProcessesBody>('GET', '/v1/ps');
    out(json ? JSON.stringify(processes, null, 2) : render(processes));
    return 0;
  },
});

function render({ daemon, apps }: ProcessesBody): string {
  const header = [
    'NAME',
    'STATE',
    'PID',
    'UP',
    'MEMORY',
    'THREADS',
    'REQUESTS',
    'FAILED',
    'IN FLIGHT',
    'RESTARTS',
    'RELEASE',
  ];
  const blank = ['-', '-', '-', '-', '-', '-'];
  const up = formatDuration(daemon.uptimeMs);
  const first = ['(server)', 'running', String(daemon.pid), up, formatMegabytes(daemon.rssBytes), ...blank];
  const notes = apps
    .filter((app) => app.lastExit !== null)
    .map((app) => `${app.app}: last ended with: ${app.lastExit}`);
  return [renderTable(header, [first, ...apps.map(row)]), ...notes].join('\n');
}

function row({ app, state, pid, stats, restarts, release }: ProcessBody): string[] {
  const figures =
    stats === null
      ? ['-', '-', '-', '-', '-', '-']
      : [
          formatDuration(stats.uptimeMs),
          formatMegabytes(stats.rssBytes),
          String(stats.threads),
          String(stats.requests),
          String(stats.failures),
          String(stats.inFlight),
        ];
  return [app, state, pid === null ? '-' : String(pid), ...figures, String(restarts), release ?? '-'];
}
