import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProcessBody, ProcessesBody } from '../../router/control/types.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';
import { installFnrun } from './support/install-fnrun.ts';
import { boot, type Vm } from './support/vm.ts';

// What only a kernel with cgroup v2 and systemd shows of apps that are kept apart: FAULTS 5, 6 and 15.

const everything = { childProcess: true, fsRead: ['*'], fsWrite: ['*'] };
const limits = { memoryMb: 300, cpus: 0.5, processes: 20, threads: 24 };
const apps = { spy: { permissions: everything, limits }, calm: {} };
const fixtures = join(import.meta.dirname, '../fixtures/faults');
let vm: Vm;

beforeAll(async () => {
  vm = await boot({ kind: 'stocked' });
  await installFnrun(vm);
  await using folder = await makeTempDir();
  for (const [app, settings] of Object.entries(apps)) {
    const dir = join(folder.path, app);
    const names = app === 'spy' ? ['hold', 'fork-bomb', 'thread-bomb', 'reach', 'steady'] : ['steady'];
    for (const name of names) {
      await cp(join(fixtures, app === 'spy' ? 'app' : 'calm', 'functions', name), join(dir, 'functions', name), {
        recursive: true,
      });
    }
    await writeTree(dir, { 'fnrun.json': JSON.stringify(settings), 'public/page.txt': `page of ${app}` });
  }
  await vm.copyTo(folder.path, '/srv/apps');
  await vm.sh('chown -R fnrun: /srv/apps');
  for (const app of Object.keys(apps)) {
    await vm.sh(`runuser -u fnrun -- sh -euc '
      export FNRUN_HOME=/var/lib/fnrun; cd /srv/apps/${app}
      /opt/fnrun/bin/node /opt/fnrun/cli/fnrun.js apps create ${app}
      git init -q -b main; git add -A; git -c user.name=T -c user.email=t@example.invalid commit -qm first
      git push -q /var/lib/fnrun/apps/${app}/repo.git HEAD:main'`);
  }
  // With the first variable the server makes the key that nobody else is to read.
  await vm.sh(`runuser -u fnrun -- env FNRUN_HOME=/var/lib/fnrun \
    /opt/fnrun/bin/node /opt/fnrun/cli/fnrun.js env calm set WORD=secret`);
});
afterAll(async () => await vm?.remove());

/** Status and body of a request at an app's socket, by nginx's user. */
async function ask(app: string, path: string, { seconds = 60 } = {}): Promise<string> {
  const socket = `/var/lib/fnrun/run/${app}.sock`;
  const curl = [
    'curl',
    '-sS',
    '-m',
    String(seconds),
    '-w',
    ' %{http_code}',
    '--unix-socket',
    socket,
    `http://x${path}`,
  ];
  return (await vm.run(['runuser', '-u', 'www-data', '--', ...curl])).stdout;
}

async function ps(app: string): Promise<ProcessBody> {
  const text = await vm.sh('curl -sS --unix-socket /var/lib/fnrun/run/control.sock http://x/v1/ps');
  const found = (JSON.parse(text) as ProcessesBody).apps.find((one) => one.app === app);
  if (found === undefined) throw new Error(`fnrun ps does not know ${app}`);
  return found;
}

/** The group of an app's process, and a file in it. */
const groupFile = async (pid: number | null, name: string): Promise<string> =>
  (await vm.sh(`cat /sys/fs/cgroup$(sed -n s/^0:://p /proc/${pid}/cgroup)/${name}`)).trim();

/** Does `work` while the other app is asked again and again; resolves with how often, and what was not its answer. */
async function besideCalm(work: () => Promise<unknown>): Promise<{ asked: number; wrong: string[] }> {
  const answers: string[] = [];
  let done = false;
  const asking = (async () => {
    while (!done) answers.push(await ask('calm', '/steady'));
  })();
  await work().finally(() => (done = true));
  await asking;
  return { asked: answers.length, wrong: answers.filter((answer) => answer !== '{"app":"calm"} 200') };
}

test('the kernel holds each app in a group of its own, as a user of its own', async () => {
  expect(await ask('spy', '/steady')).toBe('{"app":"spy"} 200');
  expect(await ask('calm', '/steady')).toBe('{"app":"calm"} 200');
  const [spy, calm] = [await ps('spy'), await ps('calm')];
  expect(spy.use?.heldBy).toBe('cgroup');
  // Debian 12 tells the server nothing of the files of other users' processes: the process itself does.
  expect(spy.use?.openFiles).toBeGreaterThan(10);
  const uids = await vm.sh(`stat -c %u /proc/${spy.pid} /proc/${calm.pid} /proc/$(systemctl show -P MainPID fnrun)`);
  expect(new Set(uids.trim().split('\n')).size).toBe(3);
  const group = async (name: string): Promise<string> => await groupFile(spy.pid, name);
  expect(Number(await group('memory.max'))).toBeGreaterThanOrEqual(limits.memoryMb * 2 ** 20);
  expect(Number(await group('memory.max'))).toBeLessThan(1.5 * limits.memoryMb * 2 ** 20);
  expect(await group('memory.swap.max')).toBe('0');
  expect(await group('cpu.max')).toMatch(/^50000 100000$/);
  expect(Number(await group('pids.max'))).toBeLessThan(1_000);
  expect(await groupFile(spy.pid, 'cgroup.controllers')).toMatch(/cpu.*io.*memory.*pids/);
  // The app itself cannot change them, nor leave.
  const own = (await vm.sh(`sed -n s/^0:://p /proc/${spy.pid}/cgroup`)).trim();
  for (const file of [`${own}/memory.max`, `${own}/../daemon/cgroup.procs`])
    expect(await ask('spy', `/reach?write=/sys/fs/cgroup${file}`)).toMatch(/^(EACCES|EROFS|EPERM) 200$/);
  // The jail of builds works without the capabilities that the server has.
  expect(await vm.sh('journalctl -u fnrun -o cat')).toMatch(/builds run in a jail of .*bwrap/);
});

test('15: an app reaches nothing of another one or of the server', async () => {
  const [calm, main] = [(await ps('calm')).pid, (await vm.sh('systemctl show -P MainPID fnrun')).trim()];
  const home = '/var/lib/fnrun';
  const attempts = [
    ...['state.db', 'secret.key', 'config.json', 'logs/calm.ndjson', 'apps/calm/live/public/page.txt'].map(
      (name) => `read=${home}/${name}`,
    ),
    ...['', '/run', '/logs', '/apps', '/apps/calm'].map((name) => `list=${home}${name}`),
    ...['control', 'calm'].map((name) => `connect=${home}/run/${name}.sock`),
    ...[calm, main].flatMap((pid) => [`read=/proc/${pid}/environ`, `list=/proc/${pid}/fd`, `kill=${pid}`]),
  ];
  for (const attempt of attempts)
    expect(await ask('spy', `/reach?${attempt}`), attempt).toMatch(/^(EACCES|EPERM) 200$/);
});

test.each([
  [5, 'a leak of Buffers', '/hold?kind=buffers', /memory limit \(limits\.memoryMb = 300\)/],
  [6, 'a fork bomb', '/fork-bomb?depth=9', null],
  [6, 'a thread bomb', '/thread-bomb?threads=300', null],
])('%i: %s stays in the group of its app', async (_row, _fault, path, reason) => {
  await ask('spy', '/steady');
  const { pid, restarts } = await ps('spy');
  const report = await besideCalm(async () => {
    await ask('spy', path, { seconds: 40 });
    await expect.poll(() => ask('spy', '/steady'), { timeout: 120_000, interval: 1_000 }).toBe('{"app":"spy"} 200');
  });
  expect(report.wrong).toEqual([]);
  expect(report.asked).toBeGreaterThan(3);
  if (reason !== null) {
    const after = await ps('spy');
    expect(after.restarts).toBeGreaterThan(restarts);
    expect(after.lastExit).toMatch(reason);
    // Nothing of the dead process is left, its group neither.
    expect(await vm.sh(`ls -d /proc/${pid} 2>/dev/null || true`)).toBe('');
  }
  expect(await vm.sh('systemctl is-active fnrun')).toBe('active\n');
});
