import { expect, test } from 'vitest';
import { renderApp } from '../../../../cli/ps/render-app.ts';
import { renderApps } from '../../../../cli/ps/render-apps.ts';
import type { ProcessBody } from '../../../../router/control/types.ts';
import type { FunctionStats, HostStats } from '../../../../runtime/contract/ipc.ts';
import { resolveAppLimits } from '../../../../runtime/contract/app-limits.ts';
import { resolveAppPermissions } from '../../../../runtime/contract/app-permissions.ts';

const nowMs = Date.parse('2026-01-01T00:01:00.000Z');

const fn: FunctionStats = {
  name: 'users/[id]',
  route: '/users/:id',
  state: 'backoff',
  reason: 'it does not load: no database',
  retryInMs: 2_000,
  workers: 1,
  minWorkers: 0,
  maxWorkers: 4,
  inFlight: 3,
  concurrency: 50,
  queued: 2,
  requests: 100,
  serverErrors: 0,
  failures: 7,
  timeoutMs: 10_000,
  memoryMb: 128,
  maxBodyBytes: 1,
  database: { queries: 12, rows: 340, waitMs: 15, queryMs: 1_500, busy: 2, connections: 3 },
};

const stats = {
  uptimeMs: 5_000,
  rssBytes: 1,
  threads: 3,
  threadsMax: 98,
  reserve: 1,
  requests: 100,
  failures: 7,
  inFlight: 3,
  queued: 2,
  droppedLogLines: 4,
  connections: { main: { used: 3, limit: 20 }, reports: { used: 0, limit: 5 } },
  functions: [fn],
} as unknown as HostStats;

const running: ProcessBody = {
  app: 'shop',
  release: '243f9bb6920c7d60',
  user: 70_003,
  state: 'running',
  pid: 986,
  restarts: 1,
  lastExit: 'signal SIGKILL',
  exits: [
    {
      time: '2026-01-01T00:00:00.000Z',
      reason: 'it reached its memory limit (limits.memoryMb = 256)',
      lastWords: null,
      uptimeMs: 90_000,
      inFlight: { report: 2 },
    },
  ],
  retryAt: null,
  leaving: 0,
  limits: resolveAppLimits({ memoryMb: 256, cpus: 0.5 }, { machineMb: 1 }),
  permissions: { ...resolveAppPermissions({}), childProcess: true, fsRead: ['/srv'] },
  use: { memoryBytes: 126 * 2 ** 20, processes: 1, tasks: 20, openFiles: 49, cpus: 0.123, heldBy: 'cgroup' },
  stats,
};

const idle: ProcessBody = {
  ...running,
  app: 'blog',
  state: 'backoff',
  pid: null,
  retryAt: '2026-01-01T00:01:03.000Z',
  limits: null,
  permissions: null,
  use: null,
  stats: null,
};

test('ps shows each app in a line, and below what ended or does not load', () => {
  const daemon = { pid: 920, uptimeMs: 60_000, rssBytes: 84 * 2 ** 20 };
  const lines = renderApps({ daemon, apps: [idle, running] }, { nowMs }).split('\n');
  expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
    expect.arrayContaining(['NAME', 'MEMORY', 'CPU', 'THREADS', 'RELEASE']),
    ['(server)', 'running', '920', '1 min', '84 MB', '-', '-', '-', '-', '-', '-', '-'],
    ['blog', 'backoff', '-', '-', '-', '-', '-', '-', '-', '-', '1', '243f9bb6920c7d60'],
    ['shop', 'running', '986', '5.0 s', '126/256 MB', '0.12/0.5', '3/98', '100', '7', '3', '1', '243f9bb6920c7d60'],
    ['blog: ended 1 min ago: it reached its memory limit (limits.memoryMb = 256)'],
    ['blog: next start in 3.0 s'],
    ['shop: ended 1 min ago: it reached its memory limit (limits.memoryMb = 256)'],
    ['shop: users/[id]: backoff: it does not load: no database'],
  ]);
});

test('ps of one app shows its limits with their use, its functions and its last ends', () => {
  const text = renderApp(running, { nowMs });
  const pairs = Object.fromEntries(
    text
      .split('\n\n')[0]!
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
  );
  expect(pairs).toMatchObject({
    state: 'running, process 986',
    user: '70003',
    memory: '126/256 MB',
    cpu: '0.12/0.5',
    processes: '1/16',
    database: '3/20 connections',
    'database reports': '0/5 connections',
    'open files': '49/16384',
    'log lines': '1000/s at most, 4 dropped',
    'idle stop': 'after 15 min',
    limits: 'held by a cgroup',
    permissions: 'childProcess, fsRead /srv',
  });
  expect(text).toContain('users/[id]  backoff  1/4      3/50       2');
  expect(text).toMatch(/^users\/\[id\] {4}12 +340 +1\.5 s +15 ms +2 +3$/m);
  expect(text).toContain('users/[id]: it does not load: no database; next try in 2.0 s');
  expect(text).toMatch(/^1 min ago {2}1 min {2}report ×2 {2}it reached its memory limit/m);
});

test('ps of an app without a process shows when it is started again', () => {
  const text = renderApp(idle, { nowMs });
  expect(text).toMatch(/^state +backoff$/m);
  expect(text).toMatch(/^next start +in 3\.0 s$/m);
  expect(text).toContain('no functions in memory');
});

test('a CPU limit that nobody holds is not shown as one', () => {
  const watched = { ...running, use: { ...running.use!, heldBy: 'watch' as const } };
  expect(renderApp(watched, { nowMs })).toMatch(/^cpu +0\.12, not limited: that needs a cgroup$/m);
  const daemon = { pid: 1, uptimeMs: 1, rssBytes: 1 };
  expect(renderApps({ daemon, apps: [watched] }, { nowMs })).not.toContain('0.12/0.5');
});
