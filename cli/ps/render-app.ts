import type { ExitBody, ProcessBody } from '../../router/control/types.ts';
import type { FunctionStats } from '../../runtime/contract/ipc.ts';
import { mainDatabase } from '../../runtime/contract/database.ts';
import { permissionSwitches } from '../../runtime/contract/app-permissions.ts';
import { formatAge, formatDuration, renderTable } from '../table.ts';
import { cpuCell, memoryCell, ofCell } from './cells.ts';

/** One app in full: its process and limits, its functions, its last ends. */
export function renderApp(app: ProcessBody, { nowMs }: { nowMs: number }): string {
  const parts = [
    renderPairs(app, nowMs),
    renderFunctions(app.stats?.functions ?? []),
    ...renderDatabases(app.stats?.functions ?? []),
    ...(app.exits.length === 0 ? [] : [renderExits(app.exits, nowMs)]),
  ];
  return parts.join('\n\n');
}

function renderPairs(body: ProcessBody, nowMs: number): string {
  const { app, state, pid, release, restarts, retryAt, leaving, limits, use, stats } = body;
  const pairs: [string, string][] = [
    ['app', app],
    ['state', pid === null ? state : `${state}, process ${pid}`],
    ...(body.user === null ? [] : [['user', String(body.user)] as [string, string]]),
    ['release', release ?? '-'],
    ['restarts', String(restarts)],
  ];
  if (retryAt !== null) pairs.push(['next start', `in ${formatDuration(Math.max(0, Date.parse(retryAt) - nowMs))}`]);
  if (leaving > 0) pairs.push(['leaving', `${leaving}: replaced, finishing what it has`]);
  if (stats !== null) {
    pairs.push(
      ['up', formatDuration(stats.uptimeMs)],
      ['requests', `${stats.requests}, ${stats.failures} failed, ${stats.inFlight} in flight, ${stats.queued} queued`],
      ...Object.entries(stats.connections ?? {}).map(([name, { used, limit }]): [string, string] => [
        name === mainDatabase ? 'database' : `database ${name}`,
        `${ofCell(used, limit)} connections`,
      ]),
      ['threads', `${ofCell(stats.threads, stats.threadsMax)}, ${stats.reserve} of them in reserve`],
    );
  }
  if (use !== null && limits !== null) {
    pairs.push(
      ['memory', memoryCell(use.memoryBytes, limits.memoryMb)],
      [
        'cpu',
        use.heldBy === 'watch' && limits.cpus !== null
          ? `${cpuCell(use.cpus, null)}, not limited: that needs a cgroup`
          : cpuCell(use.cpus, limits.cpus),
      ],
      ['processes', ofCell(use.processes, limits.processes)],
      ['open files', ofCell(use.openFiles, limits.openFiles)],
      ['log lines', `${limits.logLinesPerSecond}/s at most, ${stats?.droppedLogLines ?? 0} dropped`],
      ['idle stop', limits.idleStopMs === 0 ? 'never' : `after ${formatDuration(limits.idleStopMs)}`],
      ['limits', use.heldBy === 'cgroup' ? 'held by a cgroup' : 'watched by the server'],
    );
  }
  if (body.permissions !== null) pairs.push(['permissions', describePermissions(body.permissions)]);
  return renderTable(pairs[0]!, pairs.slice(1));
}

function describePermissions(permissions: NonNullable<ProcessBody['permissions']>): string {
  const given: string[] = permissionSwitches.filter((name) => permissions[name]);
  for (const name of ['fsRead', 'fsWrite'] as const) {
    if (permissions[name].length > 0) given.push(`${name} ${permissions[name].join(' ')}`);
  }
  return given.length === 0 ? 'none beyond the usual' : given.join(', ');
}

function renderFunctions(functions: readonly FunctionStats[]): string {
  if (functions.length === 0) return 'no functions in memory';
  const header = ['FUNCTION', 'STATE', 'WORKERS', 'IN FLIGHT', 'QUEUED', 'REQUESTS', 'FAILED', 'TIMEOUT', 'HEAP'];
  const rows = functions.map((fn) => [
    fn.name,
    fn.state,
    ofCell(fn.workers, fn.maxWorkers),
    // What one worker takes at once, times the workers there are.
    ofCell(fn.inFlight, fn.concurrency * Math.max(1, fn.workers)),
    String(fn.queued),
    String(fn.requests),
    String(fn.failures),
    formatDuration(fn.timeoutMs),
    `${fn.memoryMb} MB`,
  ]);
  const notes = functions.filter((fn) => fn.state !== 'ok').map((fn) => `${fn.name}: ${reasonOf(fn)}`);
  return [renderTable(header, rows), ...notes].join('\n');
}

/** Of the functions that have used one; times are sums. */
function renderDatabases(functions: readonly FunctionStats[]): string[] {
  const header = ['DATABASE USE', 'QUERIES', 'ROWS', 'IN DATABASE', 'WAITED', 'REFUSED', 'CONNECTIONS'];
  const rows = functions.flatMap(({ name, database }) => {
    if (database === null || database === undefined) return [];
    const { queries, rows, queryMs, waitMs, busy, connections } = database;
    const counts = [String(queries), String(rows), formatDuration(queryMs), formatDuration(waitMs), String(busy)];
    return [[name, ...counts, String(connections)]];
  });
  return rows.length === 0 ? [] : [renderTable(header, rows)];
}

function reasonOf({ reason, retryInMs }: FunctionStats): string {
  const next =
    retryInMs === null
      ? ''
      : retryInMs === 0
        ? '; the next request tries it'
        : `; next try in ${formatDuration(retryInMs)}`;
  return `${reason ?? ''}${next}`;
}

function renderExits(exits: readonly ExitBody[], nowMs: number): string {
  const rows = exits.map(({ time, uptimeMs, reason, lastWords, inFlight }) => [
    formatAge(time, { nowMs }),
    formatDuration(uptimeMs),
    Object.entries(inFlight)
      .map(([name, count]) => `${name} ×${count}`)
      .join(' ') || '-',
    lastWords === null ? reason : `${reason}: ${lastWords}`,
  ]);
  return renderTable(['ENDED', 'RAN', 'IN FLIGHT', 'REASON'], rows);
}
