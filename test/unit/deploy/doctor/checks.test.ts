import { expect, test } from 'vitest';
import { judgeSockets, readSockets } from '../../../../deploy/doctor/checks/app-sockets.ts';
import { judgeBackups, readBackups } from '../../../../deploy/doctor/checks/backups.ts';
import { folderBeside, judgeApp, judgeBuilds, judgeVersion } from '../../../../deploy/doctor/checks/daemon.ts';
import { summed } from '../../../../deploy/doctor/checks/database.ts';
import { driftCheck } from '../../../../deploy/doctor/checks/drift.ts';
import { judgeTrips, wordsOf } from '../../../../deploy/doctor/checks/round-trips.ts';
import { judgeNode, judgeTable } from '../../../../deploy/doctor/checks/versions.ts';
import type { DoctorContext } from '../../../../deploy/doctor/check.ts';
import { knownVersions } from '../../../../deploy/doctor/known-versions.ts';
import { defaultWishes } from '../../../../deploy/server/wishes.ts';
import type { ProcessBody } from '../../../../router/control/types.ts';

const ids = (findings: readonly { id: string; severity: string }[]): string[] =>
  findings.map(({ id, severity }) => `${severity} ${id}`);

test('a Node with known holes, or of a line without fixes, is told; a newer one is not', () => {
  const good = knownVersions.node[26]!;
  expect(judgeNode(good)).toEqual([]);
  expect(ids(judgeNode('26.0.0'))).toEqual(['warning node-version']);
  expect(ids(judgeNode('25.9.0'))).toEqual(['warning node-end-of-life']);
  expect(ids(judgeNode('18.20.1'))).toEqual(['warning node-end-of-life']);
  expect(judgeNode('30.1.0')).toEqual([]);
});

test('the age of the table of versions is told when it says little', () => {
  const at = (days: number) => new Date(Date.parse(knownVersions.asOf) + days * 86_400_000);
  expect(judgeTable(at(30))).toEqual([]);
  expect(judgeTable(at(200))).toEqual([
    expect.objectContaining({ severity: 'note', measured: expect.stringContaining('200 days') }),
  ]);
});

test('backups are told that are missing, empty or old', () => {
  const now = 1_790_000_000;
  const backups = readBackups(
    [
      String(now),
      `shop ${now - 3_600}.5 2048`,
      `blog ${now - 50 * 3_600} 10`,
      `wiki ${now - 900 * 3_600} 10`,
      `chat ${now - 60} 0`,
      'new none',
    ].join('\n'),
  );
  expect(backups.map(({ app, hours }) => [app, hours === null ? null : Math.round(hours)])).toEqual([
    ['shop', 1],
    ['blog', 50],
    ['wiki', 900],
    ['chat', 0],
    ['new', null],
  ]);
  expect(ids(judgeBackups(backups, '/b'))).toEqual([
    'warning backup-old',
    'critical backup-old',
    'critical backup-empty',
    'warning backup-missing',
  ]);
  expect(readBackups('none')).toEqual([]);
});

const app: ProcessBody = {
  app: 'shop',
  state: 'running',
  exits: [],
  retryAt: null,
  stats: { functions: [] },
  release: 'r1',
} as unknown as ProcessBody;

test('apps are told that cannot start, end often, or have functions that refuse', () => {
  const now = new Date('2026-11-27T12:00:00Z');
  const ended = (minutes: number) =>
    ({
      time: new Date(now.getTime() - minutes * 60_000).toISOString(),
      reason: 'killed by SIGSEGV',
    }) as ProcessBody['exits'][number];
  expect(judgeApp(app, { now })).toEqual([]);
  expect(judgeApp({ ...app, exits: [ended(1), ended(2)] }, { now })).toEqual([]);
  expect(ids(judgeApp({ ...app, exits: [ended(1), ended(2), ended(3)] }, { now }))).toEqual(['warning app-ends-often']);
  expect(judgeApp({ ...app, exits: [ended(100), ended(200), ended(300)] }, { now })).toEqual([]);
  const [crashing] = judgeApp(
    { ...app, state: 'backoff', exits: [ended(1)], retryAt: '2026-11-27T12:01:00Z' },
    { now },
  );
  expect(crashing).toMatchObject({
    id: 'app-crashing',
    severity: 'critical',
    measured: expect.stringContaining('SIGSEGV'),
  });
  const functions = [{ name: 'cart', state: 'backoff', reason: 'SyntaxError: x' }];
  expect(judgeApp({ ...app, stats: { functions } as never }, { now })).toEqual([
    expect.objectContaining({ id: 'function-failing', measured: 'fnrun ps: SyntaxError: x' }),
  ]);
});

test('builds without a jail are told, and who wanted it so', () => {
  const note = 'builds run without a jail';
  expect(judgeBuilds(undefined)).toEqual([]);
  expect(judgeBuilds(null)).toEqual([]);
  expect(judgeBuilds({ jailed: true, wanted: true, note })).toEqual([]);
  expect(ids(judgeBuilds({ jailed: false, wanted: true, note }))).toEqual(['warning builds-without-jail']);
  expect(ids(judgeBuilds({ jailed: false, wanted: false, note }))).toEqual(['note builds-without-jail']);
});

test('a server is told that runs another version than the one installed', () => {
  expect(judgeVersion({ running: '0.1.0', installed: '0.1.0' })).toEqual([]);
  expect(judgeVersion({ running: '0.1.0', installed: null })).toEqual([]);
  expect(judgeVersion({ running: null, installed: '0.1.0' })).toEqual([]);
  const current = '/opt/fnrun/current';
  expect(folderBeside(current, '/opt/fnrun/0.1.0-3d3949ba596d/bin/node (deleted)')).toBe('0.1.0-3d3949ba596d');
  expect(folderBeside(current, '/usr/bin/node')).toBeNull();
  expect(folderBeside(current, '')).toBeNull();
  expect(ids(judgeVersion({ running: '0.1.0', installed: '0.2.0' }))).toEqual(['warning fnrun-version']);
});

test('findings of the database are one for each grade', () => {
  const one = (id: string, severity: 'critical' | 'warning' | 'note') => ({
    id,
    severity,
    what: '',
    measured: '',
    todo: '',
  });
  expect(summed([one('a', 'note')])).toEqual([]);
  expect(summed([one('a', 'warning'), one('b', 'critical'), one('c', 'warning')])).toEqual([
    expect.objectContaining({ severity: 'critical', measured: 'b' }),
    expect.objectContaining({ severity: 'warning', measured: 'a, c' }),
  ]);
});

test('nginx must reach the apps, and not the server', () => {
  const reading = readSockets(
    'user www-data\napp yes /h/run/shop.sock\napp no /h/run/a b.sock\ncontrol no /h/run/control.sock\n',
  )!;
  expect(ids(judgeSockets(reading))).toEqual(['critical app-socket-closed']);
  expect(ids(judgeSockets(readSockets('user www-data\ncontrol yes /h/run/control.sock')!))).toEqual([
    'critical control-socket-open',
  ]);
  expect(readSockets('')).toBeNull();
});

test('round trips are words, and findings where one is missing or slow', () => {
  const trips = {
    control: { ms: 1.23 },
    apps: {
      shop: { direct: { ms: 0.84 }, nginx: { ms: 300 } },
      blog: { direct: { error: 'ECONNREFUSED' }, nginx: null },
    },
  };
  expect(wordsOf(trips, { ssh: 84.2 })).toBe(
    'ssh 84 ms, server 1.2 ms, shop 0.84 ms and by nginx 300 ms, blog ECONNREFUSED',
  );
  expect(ids(judgeTrips(trips, { ssh: 84.2 }))).toEqual(['note app-by-nginx-slow', 'warning app-no-answer']);
  expect(ids(judgeTrips(null, { ssh: 900 }))).toEqual(['note ssh-slow']);
});

test('a step of setup that would change something is told with what it would do', async () => {
  const step = (changes: { subject: string; what: string }[]) =>
    driftCheck({ id: 'sshd', title: 'ssh takes keys only', check: async () => changes, apply: async () => undefined });
  const context = { wishes: defaultWishes, facts: { root: true }, target: 'root@vps' } as DoctorContext;
  expect(await step([]).check(context)).toMatchObject({ findings: [] });
  expect(await step([{ subject: '/etc/x', what: 'write /etc/x' }]).check(context)).toEqual({
    findings: [
      {
        id: 'setup-sshd',
        severity: 'warning',
        what: 'not as setup leaves it: ssh takes keys only',
        measured: 'it would write /etc/x',
        todo: 'fnrun server setup root@vps --plan shows it, without --plan puts it right',
      },
    ],
    seen: 'as setup left it',
  });
  expect(await step([]).check({ ...context, wishes: null })).toEqual({ skipped: 'not set up by fnrun' });
});
