import { Agent } from 'node:http';
import { expect, test } from 'vitest';
import { eventually } from '../../support/deadline.ts';
import { startHost } from '../../support/host.ts';
import { fetchFrom } from '../../support/http.ts';
import { processesWith } from '../../support/proc.ts';

const ok = `export default () => new Response('ok')`;

test('host whose threads hold more memory than the app may is killed with that reason, and starts again', async () => {
  const { target, deploy, host } = await startHost();
  const leak = `const kept = []; export const config = { timeoutMs: 20_000 };
    export default async () => {
      for (;;) { kept.push(Buffer.alloc(20_000_000, 1)); await new Promise((resolve) => setTimeout(resolve, 10)); }
    }`;
  await deploy({ '/': ok, '/leak': leak }, { limits: { memoryMb: 400 } });
  expect((await fetchFrom(target, { path: '/' })).text).toBe('ok');
  const { pid } = host.status();
  await expect(fetchFrom(target, { path: '/leak' })).rejects.toThrow();
  expect((await fetchFrom(target, { path: '/' })).text).toBe('ok');
  const status = host.status();
  expect(status.pid).not.toBe(pid);
  expect(status.restarts).toBe(1);
  expect(status.exits).toMatchObject([{ reason: 'it reached its memory limit (limits.memoryMb = 400)' }]);
});

test('app with more child processes than it may have is killed, and they with it', async () => {
  const { target, deploy, host } = await startHost();
  const bomb = `import { spawn } from 'node:child_process';
    export default () => {
      for (let i = 0; i < 30; i++) {
        // Detached: a session of its own, which no signal to the process group reaches.
        spawn('sleep', ['86399'], { detached: i % 2 === 0, stdio: 'ignore', env: { FNRUN_TEST_BOMB: '${process.pid}' } });
      }
      return new Promise(() => {});
    }`;
  await deploy({ '/': ok, '/bomb': bomb }, { limits: { processes: 4 }, permissions: { childProcess: true } });
  await expect(fetchFrom(target, { path: '/bomb' })).rejects.toThrow();
  const mark = `FNRUN_TEST_BOMB=${process.pid}`;
  await eventually(async () => (await processesWith(mark)).length === 0);
  expect((await fetchFrom(target, { path: '/' })).text).toBe('ok');
  expect(host.status().exits[0]!.reason).toBe('it has more child processes than limits.processes = 4');
});

test('app that starts threads without end is killed with the number it may have', async () => {
  const { target, deploy, host } = await startHost();
  const bomb = `import { Worker } from 'node:worker_threads';
    export default () => { for (let i = 0; i < 200; i++) new Worker('setInterval(() => {}, 1000)', { eval: true }); return new Promise(() => {}); }`;
  await deploy({ '/': ok, '/bomb': bomb }, { limits: { threads: 4, processes: 0 } });
  await expect(fetchFrom(target, { path: '/bomb', deadlineMs: 15_000 })).rejects.toThrow();
  expect((await fetchFrom(target, { path: '/' })).text).toBe('ok');
  expect(host.status().exits[0]!.reason).toMatch(/^it has more than \d+ threads and processes/);
});

test('host has no more open files than its app may have', async () => {
  const { target, deploy, host } = await startHost();
  const open = `import { openSync, closeSync } from 'node:fs';
    export default () => {
      const files = [];
      try { for (;;) files.push(openSync('/dev/null')); } catch (error) {
        for (const file of files) closeSync(file);
        return Response.json({ code: error.code, files: files.length });
      }
    }`;
  await deploy({ '/': open }, { limits: { openFiles: 300 } });
  const { code, files } = (await fetchFrom(target, { path: '/' })).json();
  expect(code).toBe('EMFILE');
  expect(files).toBeLessThan(300);
  expect(host.status().use!.openFiles).toBeLessThanOrEqual(300);
});

test('app logs no more lines than it may, and is told how many were dropped', async () => {
  const { target, deploy, logs, logged, host } = await startHost();
  const flood = `export default () => { for (let i = 0; i < 400; i++) console.log('line', i); return new Response('ok'); }`;
  await deploy({ '/': flood }, { limits: { logLinesPerSecond: 10 } });
  expect((await fetchFrom(target, { path: '/' })).text).toBe('ok');
  const told = await logged((record) => record.message.includes('over limits.logLinesPerSecond (10)'));
  const dropped = Number(/^(\d+) log lines/.exec(told.message)![1]);
  const kept = logs.filter((record) => record.message.startsWith('line ')).length;
  // 50 at once, and 10 a second for as long as it took.
  expect(kept).toBeGreaterThanOrEqual(50);
  expect(kept + dropped).toBe(400);
  expect((await host.stats())!.droppedLogLines).toBe(dropped);
});

test('ceilings of the operator hold whatever an app asks for, and denied permissions fail the load', async () => {
  const policy = { ceilings: { memoryMb: 300 }, permissions: { addons: true } };
  const { deploy, host } = await startHost({ policy });
  await deploy({ '/': ok }, { limits: { memoryMb: 9_000 }, permissions: { addons: true } });
  expect(host.status()).toMatchObject({ limits: { memoryMb: 300 }, permissions: { addons: true } });
  await expect(deploy({ '/': ok }, { permissions: { childProcess: true } })).rejects.toThrow(
    'This server gives no app permissions.childProcess, which fnrun.json asks for',
  );
});

test('deployment changes what can change in a running process without another one', async () => {
  const { target, deploy, host } = await startHost();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  await deploy({ '/': ok }, { limits: { memoryMb: 500 } });
  await fetchFrom(target, { path: '/', agent });
  const { pid } = host.status();
  await deploy({ '/': ok }, { limits: { memoryMb: 600, logLinesPerSecond: 5, idleStopMs: 0 } });
  expect(host.status()).toMatchObject({ pid, limits: { memoryMb: 600, logLinesPerSecond: 5, idleStopMs: 0 } });
  expect((await fetchFrom(target, { path: '/', agent })).text).toBe('ok');
  agent.destroy();
});
