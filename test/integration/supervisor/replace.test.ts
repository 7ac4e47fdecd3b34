import { Agent } from 'node:http';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually, within } from '../../support/deadline.ts';
import { startHost } from '../../support/host.ts';
import { fetchFrom, type HttpTarget } from '../../support/http.ts';
import { openRaw } from '../../support/raw-http.ts';

const ok = `export default (request, ctx) => Response.json({ pid: process.pid, release: ctx.release })`;

/** Sends requests over one kept-alive connection until `stop`; rejects with the first that fails. */
function keepAsking(target: HttpTarget, path: string): { stop: () => Promise<{ pid: number; release: string }[]> } {
  // One connection: were it closed between two requests, the next one would fail or open another.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let sockets = 0;
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (...args) => {
    sockets++;
    return create(...args);
  };
  let running = true;
  const answers: { pid: number; release: string }[] = [];
  const done = (async () => {
    while (running) {
      const response = await fetchFrom(target, { path, agent });
      if (response.status !== 200) throw new Error(`${response.status} ${response.text}`);
      answers.push(response.json());
    }
    agent.destroy();
    expect(sockets).toBe(1);
    return answers;
  })();
  done.catch(() => {});
  return {
    stop: () => {
      running = false;
      return done;
    },
  };
}

test('host with a thread that does not end is replaced by a warm one, and its neighbours lose nothing', async () => {
  const { target, deploy, host, dir, logged } = await startHost();
  const fifo = join(dir, 'fifo');
  execFileSync('mkfifo', [fifo]);
  // A worker is there before: on a busy machine a start would outlast the timeout, and nothing were stuck.
  const stuck = `import { openSync } from 'node:fs'; export const config = { timeoutMs: 600, minWorkers: 1 };
    export default () => { openSync(${JSON.stringify(fifo)}, 'r'); };`;
  await deploy({ '/': ok, '/stuck': stuck });
  const before = (await fetchFrom(target, { path: '/' })).json();
  const asking = keepAsking(target, '/');
  const response = await fetchFrom(target, { path: '/stuck' });
  expect([response.status, response.json().code]).toEqual([504, 'FN_TIMEOUT']);
  await logged((record) => record.message.includes('a thread does not end'));
  await eventually(() => host.status().pid !== before.pid, { deadlineMs: 15_000 });
  // The old one has given its connections back, and goes.
  await eventually(() => host.status().leaving === 0, { deadlineMs: 15_000 });
  const answers = await asking.stop();
  expect(new Set(answers.map(({ pid }) => pid))).toEqual(new Set([before.pid, host.status().pid]));
  expect(host.status()).toMatchObject({ restarts: 1, exits: [{ reason: expect.stringContaining('did not end') }] });
  expect(isRunning(before.pid)).toBe(false);
});

test('deployment that needs other permissions is served by another process, over the same connections', async () => {
  const { target, deploy, host } = await startHost();
  const spawning = `import { execFileSync } from 'node:child_process';
    export default (_r, ctx) => {
      try { return Response.json({ out: execFileSync('echo', ['hi']).toString(), release: ctx.release, pid: process.pid }); }
      catch (error) { return Response.json({ code: error.code, release: ctx.release, pid: process.pid }); }
    }`;
  await deploy({ '/': spawning });
  expect((await fetchFrom(target, { path: '/' })).json()).toMatchObject({ code: 'ERR_ACCESS_DENIED', release: 'r1' });
  const asking = keepAsking(target, '/');
  const idle = await openRaw(target);
  await deploy({ '/': spawning }, { permissions: { childProcess: true } });
  expect((await fetchFrom(target, { path: '/' })).json()).toMatchObject({ out: 'hi\n', release: 'r2' });
  await eventually(() => host.status().leaving === 0 || idle.destroyed, { deadlineMs: 1_000 }).catch(() => {});
  idle.destroy();
  await eventually(() => host.status().leaving === 0, { deadlineMs: 15_000 });
  const answers = await asking.stop();
  expect(answers.at(0)!.release).toBe('r1');
  expect(answers.at(-1)).toMatchObject({ out: 'hi\n', release: 'r2' });
  // Back again: the permission is gone with the release that had it.
  await deploy({ '/': spawning });
  expect((await fetchFrom(target, { path: '/' })).json()).toMatchObject({ code: 'ERR_ACCESS_DENIED', release: 'r3' });
  expect(host.status()).toMatchObject({ restarts: 0, permissions: { childProcess: false } });
});

test('a candidate with other permissions that does not load leaves the live release alone', async () => {
  const { target, deploy, host } = await startHost();
  await deploy({ '/': ok });
  const { pid } = host.status();
  await expect(deploy({ '/': 'throw new Error("no")' }, { permissions: { wasi: true } })).rejects.toThrow('no');
  expect((await fetchFrom(target, { path: '/' })).json()).toEqual({ pid, release: 'r1' });
  await deploy({ '/': ok });
  expect((await fetchFrom(target, { path: '/' })).json()).toEqual({ pid, release: 'r3' });
});

test('host that does not answer is killed, and another one serves', async () => {
  const { target, deploy, host, logged } = await startHost();
  await deploy({ '/': ok });
  const { pid } = (await fetchFrom(target, { path: '/' })).json();
  process.kill(pid, 'SIGSTOP');
  const waiting = fetchFrom(target, { path: '/', deadlineMs: 18_000 });
  expect((await waiting).json().pid).not.toBe(pid);
  await logged((record) => record.message.includes('it did not answer for'));
  expect(host.status().exits[0]!.reason).toMatch(/^it did not answer for \d+ ms$/);
});

test('app without a connection stops after its idle time, and the next connection starts it', async () => {
  const { target, deploy, host, logged } = await startHost();
  await deploy({ '/': ok }, { limits: { idleStopMs: 100 } });
  const { pid } = (await fetchFrom(target, { path: '/' })).json();
  await eventually(() => host.status().state === 'stopped', { deadlineMs: 10_000 });
  await logged((record) => record.message.startsWith('stopped: no connection'));
  await eventually(() => !isRunning(pid));
  // Nobody is refused at whatever moment of the stopping a connection comes.
  for (let i = 0; i < 12; i++) {
    const answers = await Promise.all([0, 1, 2].map(() => fetchFrom(target, { path: '/' })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await new Promise((resolve) => setTimeout(resolve, 95 + i * 5));
  }
  expect(host.status().exits).toEqual([]);
});

test('app with an open connection, or with workers to keep, does not stop', async () => {
  const { target, deploy, host } = await startHost();
  await deploy({ '/': ok }, { limits: { idleStopMs: 100 } });
  const { pid } = (await fetchFrom(target, { path: '/' })).json();
  const open = await openRaw(target);
  const quiet = async (): Promise<void> => {
    for (let i = 0; i < 6; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(host.status()).toMatchObject({ state: 'running', pid });
    }
  };
  await quiet();
  await deploy({ '/': `export const config = { minWorkers: 1 }; ${ok}` }, { limits: { idleStopMs: 100 } });
  open.destroy();
  await quiet();
});

test('app that ends again and again is answered with why, and when it is tried next', async () => {
  const { target, deploy, host } = await startHost();
  const suicide = `export default () => { process.kill(process.pid, 'SIGKILL'); return new Promise(() => {}); }`;
  await deploy({ '/': suicide });
  const refused = await within(
    20_000,
    'a refusal',
    (async () => {
      for (;;) {
        const answer = await fetchFrom(target, { path: '/' }).catch(() => null);
        if (answer !== null) return answer;
      }
    })(),
  );
  expect([refused.status, refused.json().code]).toEqual([503, 'FN_APP_UNAVAILABLE']);
  expect(refused.json().detail).toMatch(
    /^The app's process ended \(signal SIGKILL\), \d times in a row; (next try in \d s|it is being started again)$/,
  );
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(host.status().exits.length).toBeGreaterThan(3);
  expect(host.status().lastExit).toMatch(/^signal SIGKILL/);
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
