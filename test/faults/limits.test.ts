import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { processesWith } from '../support/proc.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { allow } from './support/machine.ts';
import { expectBackWithin, expectNoFailures, expectUnharmed, lostHost, otherApp } from './support/record.ts';

vi.setConfig({ testTimeout: 60_000 });

let server: FaultServer;

const settings = (value: unknown): Record<string, string> => ({ 'fnrun.json': JSON.stringify(value) });

beforeAll(async () => {
  const permissions = { childProcess: true };
  server = await startFaultServer({
    buffers: settings({ limits: { memoryMb: 400 } }),
    wasm: settings({ limits: { memoryMb: 400 } }),
    forks: settings({ limits: { processes: 16 }, permissions }),
    threads: settings({ limits: { threads: 12, processes: 0 } }),
    narrow: {},
  });
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** Does what takes too much, and waits until the host is gone and another one serves. */
async function exceed(app: string, { row, fault, path }: { row: number; fault: string; path: string }) {
  const pid = await server.pidOf(app);
  const report = await server.during(app, { row, fault }, async () => {
    const answer = await server.ask(app, { method: 'POST', path, deadlineMs: 30_000 });
    await server.nextHost(app, pid);
    return answer;
  });
  expect(report.result.json().code).toBe('FN_APP_UNREACHABLE');
  const { exits, restarts } = await server.ps(app);
  expect(restarts).toBe(1);
  return { report, reason: exits[0]!.reason };
}

test.each(['buffers', 'wasm'])('5: a leak of %s ends the host at the memory limit of its app', async (kind) => {
  const call = { row: 5, fault: `memory leak: ${kind}`, path: `/hold?kind=${kind}` };
  const { reason, report } = await exceed(kind, call);
  expect(reason).toBe('it reached its memory limit (limits.memoryMb = 400)');
  expectBackWithin(report, { name: 'same app', ms: allow(1_000, report), kinds: lostHost });
  expectUnharmed(report, ...otherApp);
});

test('6: a fork bomb ends the host of its app, and all that it started', async () => {
  const { reason, report } = await exceed('forks', { row: 6, fault: 'fork bomb', path: '/fork-bomb?depth=9' });
  expectNoFailures(report, ...otherApp);
  expect(reason).toBe('it has more child processes than limits.processes = 16');
  await eventually(async () => (await processesWith('FNRUN_TEST_BOMB=1')).length === 0, { deadlineMs: 15_000 });
});

test('6: a function that was given no child processes starts none', async () => {
  const report = await server.during('narrow', { row: 6, fault: 'fork bomb without permission' }, () =>
    server.ask('narrow', { path: '/fork-bomb?depth=9' }),
  );
  expect(report.result.json().code).toBe('FN_HANDLER_FAILED');
  await server.logged('narrow', ({ message }) => message.includes('--allow-child-process'));
  expectUnharmed(report, 'same app', ...otherApp);
});

test('6: a thread bomb ends the host of its app', async () => {
  const call = { row: 6, fault: 'thread bomb', path: '/thread-bomb?threads=150' };
  const { reason, report } = await exceed('threads', call);
  expectNoFailures(report, ...otherApp);
  expect(reason).toMatch(/^it has more than \d+ threads and processes/);
});
