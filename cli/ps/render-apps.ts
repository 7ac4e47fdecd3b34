import type { ProcessBody, ProcessesBody } from '../../router/control/types.ts';
import { formatAge, formatDuration, renderTable } from '../table.ts';
import { cpuCell, memoryCell, ofCell } from './cells.ts';

const header = [
  'NAME',
  'STATE',
  'PID',
  'UP',
  'MEMORY',
  'CPU',
  'THREADS',
  'REQUESTS',
  'FAILED',
  'IN FLIGHT',
  'RESTARTS',
  'RELEASE',
];

/** The server and its apps, one line each, and below what is wrong with one. */
export function renderApps({ daemon, apps }: ProcessesBody, { nowMs }: { nowMs: number }): string {
  const up = formatDuration(daemon.uptimeMs);
  const server = ['(server)', 'running', String(daemon.pid), up, memoryCell(daemon.rssBytes, null)];
  const blank = Array.from({ length: header.length - server.length }, () => '-');
  const notes = apps.flatMap((app) => notesOf(app, nowMs));
  return [renderTable(header, [[...server, ...blank], ...apps.map(row)]), ...notes].join('\n');
}

function row({ app, state, pid, stats, use, limits, restarts, release }: ProcessBody): string[] {
  const figures =
    stats === null
      ? ['-', '-', '-', '-', '-', '-', '-']
      : [
          formatDuration(stats.uptimeMs),
          memoryCell(use?.memoryBytes ?? stats.rssBytes, limits?.memoryMb ?? null),
          use === null ? '-' : cpuCell(use.cpus, use.heldBy === 'cgroup' ? (limits?.cpus ?? null) : null),
          ofCell(stats.threads, stats.threadsMax),
          String(stats.requests),
          String(stats.failures),
          String(stats.inFlight),
        ];
  return [app, state, pid === null ? '-' : String(pid), ...figures, String(restarts), release ?? '-'];
}

function notesOf({ app, exits, retryAt, stats }: ProcessBody, nowMs: number): string[] {
  const [last] = exits;
  const ended = last === undefined ? [] : [`${app}: ended ${formatAge(last.time, { nowMs })}: ${last.reason}`];
  const wait =
    retryAt === null ? [] : [`${app}: next start in ${formatDuration(Math.max(0, Date.parse(retryAt) - nowMs))}`];
  const functions = (stats?.functions ?? []).filter((fn) => fn.state !== 'ok');
  return [...ended, ...wait, ...functions.map((fn) => `${app}: ${fn.name}: ${fn.state}: ${fn.reason ?? ''}`)];
}
