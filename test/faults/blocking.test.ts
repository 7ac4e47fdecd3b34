import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { processesWith } from '../support/proc.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { allow } from './support/machine.ts';
import { expectUnharmed, otherApp } from './support/record.ts';

vi.setConfig({ testTimeout: 60_000 });

let server: FaultServer;
/** The `timeoutMs` of the functions called here. */
const timeoutMs = 1_000;

beforeAll(async () => {
  const childProcess = { 'fnrun.json': JSON.stringify({ permissions: { childProcess: true } }) };
  server = await startFaultServer({ blocking: {}, stuck: {}, waits: childProcess });
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** Calls a function that does not return; resolves with the status, the code, and how long it took. */
async function call(app: string, path: string) {
  const before = performance.now();
  const { status, json } = await server.ask(app, { path });
  return { status, code: json().code as string, ms: performance.now() - before };
}

/** How long `path` takes until it is answered with 200. */
async function untilServed(app: string, path: string): Promise<number> {
  const before = performance.now();
  await eventually(async () => (await server.ask(app, { path })).status === 200, { deadlineMs: 20_000 });
  return performance.now() - before;
}

test('1: a handler that loops gets 504 at its timeout, its thread is replaced, others notice nothing', async () => {
  await server.ask('blocking', { path: '/loop' });
  const pid = await server.pidOf('blocking');
  const report = await server.during('blocking', { row: 1, fault: 'endless loop' }, async () => {
    const looped = await call('blocking', '/loop?now');
    return { ...looped, servedAgainMs: await untilServed('blocking', '/loop') };
  });
  const { status, code, ms, servedAgainMs } = report.result;
  expect([status, code]).toEqual([504, 'FN_TIMEOUT']);
  expect(ms).toBeGreaterThanOrEqual(timeoutMs);
  expect(ms).toBeLessThan(timeoutMs + allow(250, report));
  expect(servedAgainMs).toBeLessThan(allow(100, report));
  expect(await server.pidOf('blocking')).toBe(pid);
  await server.logged('blocking', ({ message }) => message.includes('its event loop is blocked'));
  expectUnharmed(report, 'same app', ...otherApp);
});

test('2: a native call past the timeout gets 504 on time, and its thread ends with the call', async () => {
  const rounds = 200_000;
  const { text } = await server.ask('blocking', { path: `/native-call?rounds=${rounds}` });
  // Twice the timeout, on this machine.
  const long = Math.round((rounds * 2 * timeoutMs) / Number(text));
  const report = await server.during('blocking', { row: 2, fault: 'pbkdf2Sync of twice the timeout' }, async () => {
    const blocked = await call('blocking', `/native-call?rounds=${long}`);
    return { ...blocked, servedAgainMs: await untilServed('blocking', '/native-call') };
  });
  const { status, code, ms, servedAgainMs } = report.result;
  expect([status, code]).toEqual([504, 'FN_TIMEOUT']);
  expect(ms).toBeLessThan(timeoutMs + allow(250, report));
  expect(servedAgainMs).toBeLessThan(2 * timeoutMs + allow(500, report));
  expectUnharmed(report, 'same app', ...otherApp);
});

test('2: execSync past the timeout gets 504 on time, and its thread ends with the call', async () => {
  await server.ask('waits', { path: '/exec' });
  const pid = await server.pidOf('waits');
  const report = await server.during('waits', { row: 2, fault: 'execSync of twice the timeout' }, async () => {
    const blocked = await call('waits', `/exec?seconds=${(2 * timeoutMs) / 1_000}`);
    return { ...blocked, servedAgainMs: await untilServed('waits', '/exec') };
  });
  const { status, code, ms, servedAgainMs } = report.result;
  expect([status, code]).toEqual([504, 'FN_TIMEOUT']);
  expect(ms).toBeLessThan(timeoutMs + allow(250, report));
  expect(servedAgainMs).toBeLessThan(2 * timeoutMs + allow(500, report));
  await server.logged('waits', ({ message }) => message.includes('its event loop is blocked'));
  // The call has ended within the time that a thread has to end: nobody was replaced.
  await eventually(async () => (await processesWith('FNRUN_TEST_EXEC=2')).length === 0);
  expect(await server.pidOf('waits')).toBe(pid);
  expectUnharmed(report, 'same app', ...otherApp);
});

test('2: execSync without an end gets 504 on time, another host takes over, and the program ends with the first', async () => {
  await server.ask('waits', { path: '/exec' });
  const pid = await server.pidOf('waits');
  const report = await server.during('waits', { row: 2, fault: "execSync('sleep 30')" }, async () => {
    const blocked = await call('waits', '/exec?seconds=30');
    const servedAgainMs = await untilServed('waits', '/exec');
    const { length } = await processesWith('FNRUN_TEST_EXEC=30');
    await server.nextHost('waits', pid);
    return { ...blocked, servedAgainMs, running: length };
  });
  const { status, code, ms, servedAgainMs, running } = report.result;
  expect([status, code]).toEqual([504, 'FN_TIMEOUT']);
  expect(ms).toBeLessThan(timeoutMs + allow(250, report));
  expect(servedAgainMs).toBeLessThan(allow(1_000, report));
  expect(running).toBeGreaterThan(0);
  await eventually(async () => (await processesWith('FNRUN_TEST_EXEC=30')).length === 0);
  const { exits } = await server.ps('waits');
  expect(exits[0]!.reason).toMatch(/^a thread of it did not end \(its event loop is blocked/);
  expectUnharmed(report, 'same app', ...otherApp);
});

test('3: a thread stuck in a blocking read gets 504, and another host takes over', async () => {
  await using folder = await makeTempDir();
  const path = join(folder.path, 'fifo');
  execFileSync('mkfifo', [path]);
  // A writer that writes nothing: the reader's open() returns, its read() does not.
  await using writer = await open(path, 'r+');
  await server.ask('stuck', { path: '/fifo' });
  const pid = await server.pidOf('stuck');
  const report = await server.during('stuck', { row: 3, fault: 'blocking read of a FIFO' }, async () => {
    const stuck = await call('stuck', `/fifo?path=${encodeURIComponent(path)}`);
    await eventually(async () => (await server.pidOf('stuck')) !== pid, { deadlineMs: 20_000 });
    return { ...stuck, servedAgainMs: await untilServed('stuck', '/fifo') };
  });
  const { status, code, ms, servedAgainMs } = report.result;
  expect([status, code]).toEqual([504, 'FN_TIMEOUT']);
  expect(ms).toBeLessThan(timeoutMs + allow(250, report));
  expect(servedAgainMs).toBeLessThan(allow(1_000, report));
  expectUnharmed(report, 'same app', ...otherApp);
  expectUnharmed(report, ...otherApp);
  expect(writer.fd).toBeGreaterThan(0);
});

test('10: a promise that never settles gets 504, its signal aborts and its place is free again', async () => {
  const report = await server.during('blocking', { row: 10, fault: 'promises that never settle' }, () =>
    Promise.all(Array.from({ length: 20 }, () => call('blocking', '/never'))),
  );
  for (const { status, code } of report.result) expect([status, code]).toEqual([504, 'FN_TIMEOUT']);
  await server.logged('blocking', ({ message }) => message === 'aborted: TimeoutError');
  const { stats } = await server.ps('blocking');
  expect(stats?.functions.find(({ name }) => name === 'never')).toMatchObject({ inFlight: 0, queued: 0, workers: 1 });
  expectUnharmed(report, 'same app', ...otherApp);
});
