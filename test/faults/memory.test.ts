import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { allow } from './support/machine.ts';
import { expectBackWithin, expectUnharmed, lostHost, otherApp } from './support/record.ts';

vi.setConfig({ testTimeout: 60_000 });

let server: FaultServer;

beforeAll(async () => {
  server = await startFaultServer({ leaks: {}, aborts: {} });
});
afterAll(() => server?.[Symbol.asyncDispose]());

test.each(['arrays', 'strings', 'closures', 'map'])('4: a leak of %s ends its thread alone', async (kind) => {
  await server.ask('leaks', { path: '/leak' });
  const pid = await server.pidOf('leaks');
  const report = await server.during('leaks', { row: 4, fault: `heap leak: ${kind}` }, () =>
    server.ask('leaks', { method: 'POST', path: `/leak?kind=${kind}`, deadlineMs: 30_000 }),
  );
  expect([report.result.status, report.result.json().code]).toEqual([502, 'FN_WORKER_DIED']);
  await server.logged('leaks', ({ message }) => message.includes('the worker reached its memory limit (memoryMb)'));
  expect(await server.pidOf('leaks')).toBe(pid);
  await eventually(async () => (await server.ask('leaks', { path: '/leak' })).status === 200);
  expectUnharmed(report, 'same app', ...otherApp);
});

test('4: an allocation that makes V8 abort the process ends the host of that app alone, and another is there at once', async () => {
  await server.ask('aborts', { path: '/leak' });
  const pid = await server.pidOf('aborts');
  const report = await server.during('aborts', { row: 4, fault: 'V8 aborts: out of memory' }, async () => {
    const answer = await server.ask('aborts', { method: 'POST', path: '/leak?kind=text', deadlineMs: 30_000 });
    await server.nextHost('aborts', pid);
    return answer;
  });
  expect(report.result.json().code).toBe('FN_APP_UNREACHABLE');
  expectBackWithin(report, { name: 'same app', ms: allow(1_000, report), kinds: lostHost });
  expectUnharmed(report, ...otherApp);
  expect((await server.ps('aborts')).lastExit).toMatch(/^signal SIGABRT: FATAL ERROR: .*out of memory/);
});
