import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { cpuTimeMs } from '../bench/processes.ts';
import { eventually } from '../support/deadline.ts';
import { makeTempDir, type TempDir } from '../support/temp-dir.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { expectUnharmed, otherApp } from './support/record.ts';

vi.setConfig({ testTimeout: 60_000 });

let folder: TempDir;
let server: FaultServer;
/** While this file is there, the modules do not load. */
let switchFile: string;

/** A function that loads when it is deployed, and later does not. */
const fragile = (path: string, crash: string): string => `
  import { existsSync } from 'node:fs';
  if (existsSync(${JSON.stringify(path)})) ${crash};
  export default (request: Request) => request.url.endsWith('?exit') ? process.exit(1) : new Response('fine');`;

beforeAll(async () => {
  folder = await makeTempDir();
  switchFile = join(folder.path, 'crash');
  server = await startFaultServer({
    crashing: {
      'functions/throws/index.ts': fragile(switchFile, `throw new Error('not today')`),
      'functions/exits/index.ts': fragile(switchFile, 'process.exit(1)'),
    },
    dying: { 'functions/throws/index.ts': fragile(switchFile, `process.kill(process.pid, 'SIGKILL')`) },
  });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await folder?.remove();
});

/** Asks again and again for `ms`; resolves with each answer's status, code and Retry-After, and how often each came. */
async function hammer(app: string, path: string, ms: number): Promise<Record<string, number>> {
  const answers: Record<string, number> = {};
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const { status, text, headers } = await server.ask(app, { path });
    const key = `${status} ${/FN_\w+/.exec(text)?.[0]} Retry-After: ${headers['retry-after'] ?? 'none'}`;
    answers[key] = (answers[key] ?? 0) + 1;
    await delay(25);
  }
  return answers;
}

const hammerMs = 2_000;

test.each(['throws', 'exits'])(
  '13: a module that %s while it loads is tried with growing pauses, and mends by itself',
  async (name) => {
    await server.ask('crashing', { path: `/${name}` });
    await writeFile(switchFile, '');
    // The worker there is goes; the next one does not load.
    await server.ask('crashing', { path: `/${name}?exit` });
    const daemon = server.serve.cli.child.pid!;
    const report = await server.during('crashing', { row: 13, fault: `module ${name} while it loads` }, async () => {
      const before = await cpuTimeMs(daemon);
      const answers = await hammer('crashing', `/${name}`, hammerMs);
      return { answers, cpuMs: (await cpuTimeMs(daemon)) - before };
    });
    const { answers, cpuMs } = report.result;
    for (const answer of Object.keys(answers)) expect(answer).toMatch(/^503 FN_LOAD_FAILED Retry-After: \d+$/);
    const tries = (await server.logs('crashing')).filter(
      (line) => line.function === name && line.message.includes('does not load'),
    );
    // 50 ms, then twice as long each time: within two seconds no more than six, of dozens of requests.
    expect(tries.length).toBeGreaterThan(1);
    expect(tries.length).toBeLessThan(9);
    // Of one CPU, the prober's requests included.
    expect(cpuMs).toBeLessThan(hammerMs);
    expectUnharmed(report, 'same app', ...otherApp);
    await rm(switchFile);
    await eventually(async () => (await server.ask('crashing', { path: `/${name}` })).status === 200, {
      deadlineMs: 30_000,
    });
  },
);

test('13: a host that dies while it loads is started with growing pauses, and mends by itself', async () => {
  await server.ask('dying', { path: '/throws' });
  await writeFile(switchFile, '');
  const report = await server.during('dying', { row: 13, fault: 'host dies while a module loads' }, async () => {
    process.kill(await server.pidOf('dying'), 'SIGKILL');
    const restartsBefore = (await server.ps('dying')).restarts;
    const answers = await hammer('dying', '/throws', hammerMs);
    return { answers, restarts: (await server.ps('dying')).restarts - restartsBefore };
  });
  const { answers, restarts } = report.result;
  for (const answer of Object.keys(answers))
    expect(answer).toMatch(/^(502 FN_APP_UNREACHABLE Retry-After: none|503 FN_APP_UNAVAILABLE Retry-After: \d+)$/);
  expect(restarts).toBeLessThan(9);
  expectUnharmed(report, ...otherApp);
  await rm(switchFile);
  await eventually(async () => (await server.ask('dying', { path: '/throws' })).status === 200, { deadlineMs: 30_000 });
});

test('13: a function whose workers die one after the other without an answer is closed for a while, then tried again', async () => {
  const kill = async () => await server.ask('crashing', { method: 'POST', path: '/exit?now' });
  const report = await server.during('crashing', { row: 13, fault: 'workers die one after the other' }, async () => {
    const answers = [];
    do answers.push(await kill());
    while (answers.at(-1)!.status === 502 && answers.length < 20);
    return answers;
  });
  const codes = report.result.map(({ status, json }) => `${status} ${json().code}`);
  const refused = report.result.at(-1)!;
  expect(codes.at(-1)).toBe('503 FN_CRASHING');
  expect(new Set(codes.slice(0, -1))).toEqual(new Set(['502 FN_WORKER_DIED']));
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  const fn = (await server.ps('crashing')).stats!.functions.find(({ name }) => name === 'exit')!;
  expect(fn).toMatchObject({ state: 'open', reason: expect.stringContaining('process.exit') });
  expectUnharmed(report, 'same app', ...otherApp);
  await eventually(async () => (await server.ask('crashing', { path: '/exit' })).status === 200, {
    deadlineMs: 15_000,
  });
});
