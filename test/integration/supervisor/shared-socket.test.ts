import { existsSync } from 'node:fs';
import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listenForApp } from '../../../deploy/app-listener.ts';
import { hostLimits } from '../../../runtime/contract/limits.ts';
import type { AppHostOptions } from '../../../runtime/supervisor/app-host.ts';
import { eventually } from '../../support/deadline.ts';
import { startHost, type TestHost } from '../../support/host.ts';
import { fetchFrom, type HttpResponse } from '../../support/http.ts';

const ok = `export default (request, ctx) => Response.json({ pid: process.pid, release: ctx.release })`;

/** An app host that accepts from a socket of its own, as the daemon's do. */
interface Shared extends TestHost {
  path: string;
  /** A request on a connection of its own. */
  ask(): Promise<HttpResponse>;
  /** Connections that the test's own process, the daemon here, accepted. */
  passed(): number;
  /** Resolves when the host accepts, and this process no longer. */
  shared(): Promise<void>;
  close(): void;
}

async function startShared(own: Partial<AppHostOptions> = {}): Promise<Shared> {
  const started = await startHost(own);
  const { host, dir } = started;
  const path = join(dir, 'app.sock');
  let passed = 0;
  const { close } = await listenForApp(path, {
    share: (socket) => host.share(socket),
    handle(socket) {
      passed++;
      host.handle(socket);
    },
  });
  const ask = () => fetchFrom({ socketPath: path }, { path: '/', deadlineMs: 15_000 });
  const shared = async () => {
    await eventually(async () => {
      const before = passed;
      await ask();
      return passed === before;
    });
  };
  return { ...started, path, ask, passed: () => passed, shared, close };
}

/** Asks again and again, `clients` at once, each request on a connection of its own; `stop` rejects with the first failure. */
function keepConnecting(ask: () => Promise<HttpResponse>, { clients }: { clients: number }) {
  let running = true;
  const answers: { pid: number; release: string }[] = [];
  const done = Promise.all(
    Array.from({ length: clients }, async () => {
      while (running) {
        const { status, text, json } = await ask();
        if (status !== 200) throw new Error(`${status} ${text}`);
        answers.push(json());
      }
    }),
  );
  done.catch(() => {});
  return {
    answers,
    stop: async () => {
      running = false;
      await done;
      return answers;
    },
  };
}

const times = <T>(count: number, work: () => Promise<T>) => Promise.all(Array.from({ length: count }, work));

test('host that runs takes connections by itself, and the daemon those that come while none does', async () => {
  const { deploy, ask, passed, shared, host } = await startShared();
  await deploy({ '/': ok });
  await shared();
  const before = passed();
  const answers = await times(200, ask);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(passed()).toBe(before);
  process.kill(host.status().pid!, 'SIGKILL');
  await eventually(() => host.status().restarts === 1);
  expect((await ask()).status).toBe(200);
  await shared();
});

test('connections that no host had accepted when it was killed are answered by the next one', async () => {
  const { deploy, ask, shared, host, passed } = await startShared();
  await deploy({ '/': ok });
  // Again and again: what its successor gave back in exchange is as good.
  for (let round = 1; round <= 3; round++) {
    await shared();
    const before = passed();
    const pid = host.status().pid!;
    process.kill(pid, 'SIGSTOP');
    let connected = 0;
    const asked = times(50, () => {
      connected++;
      return ask();
    });
    await eventually(() => connected === 50);
    expect(passed()).toBe(before);
    process.kill(pid, 'SIGKILL');
    const answers = await asked;
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers.map(({ json }) => json().pid)).not.toContain(pid);
    await eventually(() => host.status().state === 'running');
  }
});

test('client of an app that ends again and again is told so at once, and does not wait for its next try', async () => {
  const { deploy, ask, host } = await startShared();
  await deploy({ '/': ok });
  for (let restarts = 0; restarts <= hostLimits.crashesHeld; restarts++) {
    await eventually(() => host.status().state === 'running' && host.status().restarts === restarts);
    expect((await ask()).status).toBe(200);
    process.kill(host.status().pid!, 'SIGKILL');
  }
  await eventually(() => host.status().state === 'backoff');
  const { status, json } = await ask();
  expect([status, json().code]).toEqual([503, 'FN_APP_UNAVAILABLE']);
  await eventually(() => host.status().state === 'running');
  expect((await ask()).status).toBe(200);
});

test('connections that come while an app stops for being idle are answered', async () => {
  const { deploy, ask, host, logs } = await startShared();
  await deploy({ '/': ok }, { limits: { idleStopMs: 60 } });
  const stops = () => logs.filter(({ message }) => message.startsWith('stopped: no connection')).length;
  // Around the time at which it stops, so that some come just then.
  for (let round = 0; stops() < 6 && round < 200; round++) {
    await new Promise((resolve) => setTimeout(resolve, 50 + (round % 40) * 3));
    const answers = await times(3, ask);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  }
  expect(stops()).toBeGreaterThanOrEqual(6);
  expect(host.status().restarts).toBe(0);
});

test('process that takes over gets every connection from the moment the deployment is over, and none is refused', async () => {
  const { deploy, ask, shared } = await startShared();
  await deploy({ '/': ok });
  await shared();
  const asking = keepConnecting(ask, { clients: 4 });
  for (let round = 1; round <= 4; round++) {
    // Other permissions than the one before: another process.
    const { release } = await deploy({ '/': ok }, { permissions: { childProcess: round % 2 === 1 } });
    const answers = await times(20, ask);
    expect(new Set(answers.map(({ json }) => json().release))).toEqual(new Set([release]));
  }
  const answers = await asking.stop();
  expect(new Set(answers.map(({ pid }) => pid)).size).toBeGreaterThanOrEqual(3);
});

test('those who wait in the socket of an app that stops are told so', async () => {
  const { deploy, ask, shared, host, path, close } = await startShared();
  await deploy({ '/': ok });
  await shared();
  const pid = host.status().pid!;
  process.kill(pid, 'SIGSTOP');
  let connected = 0;
  const asked = times(20, () => {
    connected++;
    return ask();
  });
  await eventually(() => connected === 20);
  // They are in the kernel's queue, behind one that a thread that runs would have answered.
  await new Promise((resolve) => setImmediate(resolve));
  close();
  const stopped = host.stop();
  const answers = await asked;
  expect(answers.map(({ status, json }) => [status, json().code])).toEqual(
    answers.map(() => [503, 'FN_APP_UNAVAILABLE']),
  );
  expect(existsSync(path)).toBe(false);
  await expect(ask()).rejects.toMatchObject({ code: 'ENOENT' });
  process.kill(pid, 'SIGKILL');
  await stopped;
});

test('socket is one file from begin to end: a dead one is replaced, its mode stays, and nothing is left beside it', async () => {
  const { host, dir, deploy, logs } = await startHost();
  const path = join(dir, 'app.sock');
  // Of a server that was killed, and of one that was killed just when it began.
  for (const dead of [path, join(dir, 'app.a-Z_')]) await writeFile(dead, '');
  const { close } = await listenForApp(path, host);
  await chmod(path, 0o666);
  const { ino } = await stat(path);
  await deploy({ '/': ok });
  const ask = () => fetchFrom({ socketPath: path }, { path: '/' });
  const { pid } = (await ask()).json();
  process.kill(pid, 'SIGKILL');
  await eventually(() => logs.some(({ message }) => message.startsWith('the app host ended')));
  expect((await ask()).json().pid).not.toBe(pid);
  const after = await stat(path);
  expect([after.ino, after.mode & 0o777]).toEqual([ino, 0o666]);
  expect((await readdir(dir)).filter((name) => name.startsWith('app'))).toEqual(['app.sock']);
  close();
  close();
  expect(existsSync(path)).toBe(false);
});
