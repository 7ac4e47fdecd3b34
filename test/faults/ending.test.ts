import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { fetchFrom } from '../support/http.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { allow } from './support/machine.ts';
import { expectBackWithin, expectUnharmed, lostHost, otherApp } from './support/record.ts';

vi.setConfig({ testTimeout: 60_000 });

let server: FaultServer;

beforeAll(async () => {
  // Each death has its own app: a host that dies again and again is started more slowly.
  server = await startFaultServer({ exits: {}, kills: {}, segfaults: {}, closes: {}, killed: {}, stands: {} });
});
afterAll(() => server?.[Symbol.asyncDispose]());

test('7: process.exit() in a handler gets 502 for what was in flight in its thread, which is replaced', async () => {
  const { text: started } = await server.ask('exits', { path: '/exit' });
  const pid = await server.pidOf('exits');
  const report = await server.during('exits', { row: 7, fault: 'process.exit() in a handler' }, async () => {
    const waiting = [1, 2, 3].map(() => server.ask('exits', { path: '/exit?wait' }));
    await eventually(async () => (await server.ps('exits')).stats!.functions.some(({ inFlight }) => inFlight >= 3));
    const answers = await Promise.all([...waiting, server.ask('exits', { path: '/exit?now' })]);
    return { answers, after: await server.ask('exits', { path: '/exit' }) };
  });
  const { answers, after } = report.result;
  expect(answers.map(({ status, json }) => [status, json().code])).toEqual(answers.map(() => [502, 'FN_WORKER_DIED']));
  expect(after.status).toBe(200);
  expect(after.text).not.toBe(started);
  expect(await server.pidOf('exits')).toBe(pid);
  await server.logged('exits', ({ message }) => message.includes('process.exit, code 3'));
  expectUnharmed(report, 'same app', ...otherApp);
});

test.each([
  { app: 'kills', fault: 'process.kill(process.pid)', path: '/signal?send=SIGKILL', exit: 'signal SIGKILL' },
  { app: 'segfaults', fault: 'segmentation fault', path: '/signal?send=SIGSEGV', exit: 'signal SIGSEGV' },
  { app: 'closes', fault: "closing the process's files", path: '/fds?now', exit: /^(signal|exit code)/ },
])('8: $fault takes the host of that app alone, and another is there at once', async ({ app, fault, path, exit }) => {
  const pid = await server.pidOf(app);
  const report = await server.during(app, { row: 8, fault }, async () => {
    const answer = await server.ask(app, { method: 'POST', path });
    await server.nextHost(app, pid);
    return answer;
  });
  expect(report.result.json().code).toBe('FN_APP_UNREACHABLE');
  expectBackWithin(report, { name: 'same app', ms: allow(1_000, report), kinds: lostHost });
  expectUnharmed(report, ...otherApp);
  const { lastExit, restarts } = await server.ps(app);
  expect(restarts).toBe(1);
  expect(lastExit).toMatch(exit);
});

test('16: a host that is killed under load is back within a second, and what was in flight is told so', async () => {
  const pid = await server.pidOf('killed');
  const answers: Record<string, number> = {};
  let begun: () => void = () => {};
  const flowing = new Promise<void>((resolve) => (begun = resolve));
  let done = false;
  const client = async (index: number): Promise<void> => {
    // The gateway asks once more for a GET whose kept connection died; a POST is never sent twice.
    const method = index % 2 === 0 ? 'GET' : 'POST';
    while (!done) {
      const { status, text, headers } = await server.ask('killed', { method, path: '/slow' });
      const retry = status === 503 ? ` Retry-After: ${headers['retry-after']}` : '';
      const key = status === 200 ? '200' : `${status} ${/FN_\w+/.exec(text)?.[0]}${retry}`;
      answers[key] = (answers[key] ?? 0) + 1;
      if (answers['200'] === 100) begun();
    }
  };
  const report = await server.during('killed', { row: 16, fault: 'host killed -9 under load' }, async () => {
    const clients = Array.from({ length: 16 }, (_, index) => client(index));
    await flowing;
    process.kill(pid, 'SIGKILL');
    await server.nextHost('killed', pid);
    const servedBefore = answers['200']!;
    await eventually(() => answers['200']! > servedBefore + 100, { deadlineMs: 20_000 });
    done = true;
    await Promise.all(clients);
  });
  const failed = Object.entries(answers).filter(([key]) => key !== '200');
  for (const [key] of failed) expect(key).toMatch(/^502 FN_APP_UNREACHABLE$|^503 FN_APP_UNAVAILABLE Retry-After: \d+$/);
  // No more than what was in flight, and not nothing: the kill came under load.
  const total = failed.reduce((sum, [, count]) => sum + count, 0);
  expect(total).toBeGreaterThan(0);
  expect(total).toBeLessThanOrEqual(32);
  expectBackWithin(report, { name: 'same app', ms: allow(1_000, report), kinds: lostHost });
  expectUnharmed(report, ...otherApp);
});

test('16: clients whom a host had not accepted when it was killed are answered by the next one', async () => {
  const at = server.serve.appSocket('stands');
  expect((await fetchFrom(at, { path: '/steady' })).status).toBe(200);
  const pid = await server.pidOf('stands');
  process.kill(pid, 'SIGSTOP');
  const asked = Array.from({ length: 50 }, () => fetchFrom(at, { method: 'POST', path: '/steady', body: 'x' }));
  // All of them are in the socket's queue when this is answered, which takes turns of this loop.
  await server.ps('stands');
  process.kill(pid, 'SIGKILL');
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(statuses).toEqual(asked.map(() => 200));
  expect(await server.nextHost('stands', pid)).not.toBe(pid);
});
