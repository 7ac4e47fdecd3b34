import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { ask, push } from './support/app.ts';
import { domain, provisioned } from './support/provision.ts';
import type { Vm } from './support/vm.ts';

// Apps on a machine that setup has made: from a push over ssh to an answer over https, and what the kernel keeps them from.

const fixtures = join(import.meta.dirname, '../fixtures/faults/app/functions');
// Emulated, a machine takes long to find memory: 300 MB within half a minute.
const everything = JSON.stringify({
  limits: { memoryMb: 300 },
  permissions: { childProcess: true, fsRead: ['*'], fsWrite: ['*'] },
});
const whoami = 'export default () => Response.json({ uid: process.getuid(), pid: process.pid });';
// Off the heap, and touched, so that the kernel has to find the memory.
const leak = `export const config = { timeoutMs: 120_000 };
const kept = [];
export default () => { for (;;) kept.push(Buffer.alloc(16 * 1024 * 1024, 1)); };`;
const forks = `import { spawn } from 'node:child_process';
export const config = { timeoutMs: 120_000 };
export default async () => {
  const outcomes = await Promise.all(Array.from({ length: 2000 }, () => new Promise((resolve) => {
    const child = spawn('sleep', ['20']);
    child.once('error', (error) => resolve(error.code));
    child.once('spawn', () => resolve('started'));
  })));
  return Response.json({ started: outcomes.filter((outcome) => outcome === 'started').length });
};`;

let vm: Vm;
beforeAll(async () => {
  vm = await provisioned();
  const reach = await readFile(join(fixtures, 'reach/index.ts'), 'utf8');
  for (const app of ['calm', 'spy']) {
    const { code, stderr } = await push(vm, app, {
      'fnrun.json': everything,
      'functions/index.ts': `export default () => new Response('hello from ${app}');`,
      'functions/whoami/index.ts': whoami,
      'functions/reach/index.ts': reach,
      'functions/leak/index.ts': leak,
      'functions/forks/index.ts': forks,
      'public/page.txt': `page of ${app}`,
    });
    if (code !== 0) throw new Error(`the push of ${app} ended with ${code}:\n${stderr}`);
  }
});
afterAll(() => vm?.remove());

/** After some ends in a row an app refuses for a while. */
const whoIs = async (app: string): Promise<{ uid: number; pid: number }> => {
  const body = await eventually(
    async () => {
      const answer = await ask(vm, app, '/whoami');
      return answer.status === 200 ? answer.body : null;
    },
    { deadlineMs: 90_000, everyMs: 500 },
  );
  return JSON.parse(body) as { uid: number; pid: number };
};
const cgroupOf = async (pid: number): Promise<string> =>
  `/sys/fs/cgroup${(await vm.sh(`cut -d: -f3 /proc/${pid}/cgroup`)).trim()}`;

test('a push over ssh is answered over https by nginx, and a stranger cannot push', async () => {
  const answer = await ask(vm, 'calm', '/');
  expect(answer).toMatchObject({ status: 200, body: 'hello from calm' });
  expect(answer.headers.server).toMatch(/^nginx/);
  expect(await ask(vm, 'calm', '/page.txt')).toMatchObject({ status: 200, body: 'page of calm' });
  expect((await ask(vm, 'nobody', '/').catch(() => ({ status: 'refused' }))).status).not.toBe(200);
  expect(await ask(vm, 'calm', '/', { scheme: 'http' })).toMatchObject({
    status: 308,
    headers: { location: `https://calm.${domain}/` },
  });
  const refused = await push(
    vm,
    'calm',
    { 'functions/index.ts': 'export default () => new Response(1);' },
    { as: 'stranger' },
  );
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toMatch(/Permission denied/);
  expect((await ask(vm, 'calm', '/')).body).toBe('hello from calm');
});

test('an app has a user of its own and reaches nothing of another app or of the daemon', async () => {
  const [calm, spy] = [await whoIs('calm'), await whoIs('spy')];
  const daemon = Number(await vm.sh('systemctl show -p MainPID --value fnrun.service'));
  const uidOf = async (pid: number): Promise<number> => Number(await vm.sh(`stat -c %u /proc/${pid}`));
  expect(new Set([calm.uid, spy.uid, await uidOf(daemon), 0]).size).toBe(4);
  expect(await uidOf(spy.pid)).toBe(spy.uid);
  const home = '/var/lib/fnrun';
  const live = (await vm.sh(`readlink -f ${home}/apps/calm/live`)).trim();
  const attempts = [
    `read=${live}/manifest.json`,
    `read=${live}/public/page.txt`,
    `list=${home}/apps/calm`,
    `read=${home}/apps/calm/repo.git/HEAD`,
    `write=${live}/manifest.json`,
    `list=${home}/run`,
    `read=${home}/state.db`,
    `read=${home}/secret.key`,
    'read=/etc/shadow',
    `read=/proc/${calm.pid}/environ`,
    `read=/proc/${daemon}/mem`,
    `connect=${home}/run/calm.sock`,
    `connect=${home}/run/control.sock`,
    `kill=${calm.pid}`,
    `kill=${daemon}`,
  ];
  for (const attempt of attempts) {
    const { body } = await ask(vm, 'spy', `/reach?${attempt}`);
    expect.soft([attempt, body]).toEqual([attempt, expect.stringMatching(/^E(ACCES|PERM)$/)]);
  }
  // The paths are right: root gets there.
  await vm.sh(
    `cat ${live}/manifest.json ${home}/state.db ${home}/secret.key > /dev/null; test -S ${home}/run/calm.sock`,
  );
  expect((await ask(vm, 'spy', '/reach?read=/etc/hostname')).body).toBe('reached');
});

test('threads of an app with many requests let each other finish: the unit and the user allow it', async () => {
  const { pid } = await whoIs('calm');
  const policies = async (): Promise<string> =>
    (await vm.sh(`cat /proc/${pid}/task/*/stat | sed 's/.*) //' | cut -d' ' -f39 | sort -u | xargs`)).trim();
  expect(await policies()).toBe('0');
  await vm.sh(`cat > /root/load.js <<'END'
const net = require('node:net');
for (let i = 0; i < 32; i++) {
  const socket = net.connect('/var/lib/fnrun/run/calm.sock');
  const ask = () => socket.write('GET / HTTP/1.1\\r\\nhost: calm.${domain}\\r\\n\\r\\n');
  socket.on('connect', ask).on('data', ask);
}
END
nohup timeout 90 "$(dirname "$(readlink -f /proc/$(systemctl show -p MainPID --value fnrun.service)/exe)")/node" /root/load.js > /root/load.log 2>&1 &`);
  await eventually(async () => (await policies()) === '3', { deadlineMs: 80_000, everyMs: 1_000 });
  expect((await vm.sh('cat /root/load.log')).trim()).toBe('');
});

test('the kernel holds each app to its memory and its number of processes', async () => {
  const { pid } = await whoIs('spy');
  const group = await cgroupOf(pid);
  expect(group).not.toBe(await cgroupOf((await whoIs('calm')).pid));
  const [memory = '', pids = ''] = (await vm.sh(`cat ${group}/memory.max ${group}/pids.max`)).split('\n');
  expect(Number(memory)).toBeGreaterThan(64 * 2 ** 20);
  expect(Number(memory)).toBeLessThan(2048 * 2 ** 20);
  expect(Number(pids)).toBeGreaterThan(10);
  const killed = async (): Promise<number> =>
    Number(/^oom_kill (\d+)/m.exec(await vm.sh(`cat ${group.replace(/\/[^/]*$/, '')}/memory.events`))?.[1]);
  const before = await killed();
  // 5: memory off the heap. The neighbour does not notice. An emulated machine finds memory so slowly that the server would
  // see it first: a tighter bound has the kernel end it.
  await vm.sh(`echo ${150 * 2 ** 20} > ${group}/memory.max`);
  const leaking = ask(vm, 'spy', '/leak').then(
    ({ status }) => status,
    () => 'cut off',
  );
  const answers: number[] = [];
  const neighbour = (async () => {
    for (let i = 0; i < 20; i++) answers.push((await ask(vm, 'calm', '/')).status);
  })();
  expect(await leaking).not.toBe(200);
  await neighbour;
  expect(new Set(answers)).toEqual(new Set([200]));
  expect(await killed()).toBeGreaterThan(before);
  const again = await whoIs('spy');
  expect(again.pid).not.toBe(pid);
  expect(await vm.sh('fnrun ps spy')).toMatch(/memory limit/);
  // The server's own watch.
  const leakingAgain = ask(vm, 'spy', '/leak').catch(() => null);
  expect((await leakingAgain)?.status).not.toBe(200);
  expect((await whoIs('spy')).pid).not.toBe(again.pid);

  // 6: processes without end. The kernel lets it start no more, or the server has ended it by then; none is left.
  const { uid } = await whoIs('spy');
  const forks = await ask(vm, 'spy', '/forks').catch(() => null);
  if (forks?.status === 200) expect((JSON.parse(forks.body) as { started: number }).started).toBeLessThan(Number(pids));
  else expect(await vm.sh('fnrun ps spy')).toMatch(/limits\.processes = \d+/);
  expect((await ask(vm, 'calm', '/')).status).toBe(200);
  await eventually(async () => (await vm.run(['pgrep', '-u', String(uid), '-x', 'sleep'])).stdout === '', {
    deadlineMs: 60_000,
    everyMs: 500,
  });
});
