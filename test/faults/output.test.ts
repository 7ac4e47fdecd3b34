import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, within } from '../support/deadline.ts';
import { residentBytes } from '../support/proc.ts';
import { openRaw } from '../support/raw-http.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { expectUnharmed, otherApp } from './support/record.ts';

vi.setConfig({ testTimeout: 60_000 });

const MiB = 1024 * 1024;
let server: FaultServer;

beforeAll(async () => {
  server = await startFaultServer({ output: {} });
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** The most that the app's host grows above what it has now while `work` runs. */
async function growthDuring<T>(work: () => Promise<T>): Promise<{ result: T; growthMb: number }> {
  const pid = await server.pidOf('output');
  const before = await residentBytes(pid);
  let most = before;
  let running = true;
  const watch = (async () => {
    while (running) {
      most = Math.max(most, await residentBytes(pid));
      await delay(10);
    }
  })();
  try {
    return { result: await work(), growthMb: (most - before) / MiB };
  } finally {
    running = false;
    await watch;
  }
}

const inFlightOf = async (name: string): Promise<number> => {
  const { stats } = await server.ps('output');
  return stats!.functions.find((entry) => entry.name === name)!.inFlight;
};

test.each(['reject', 'throw'])(
  '9: what fails after the response (%s) is logged, and the thread is replaced',
  async (how) => {
    await server.ask('output', { path: '/late' });
    const report = await server.during('output', { row: 9, fault: `${how} after the response` }, async () => {
      const answer = await server.ask('output', { path: `/late?${how}` });
      // A fresh thread counts from one.
      await eventually(async () => (await server.ask('output', { path: '/late' })).text === 'answer 1');
      return answer;
    });
    expect(`${report.result.status} ${report.result.text}`).toMatch(/^200 answer \d+$/);
    const requestId = report.result.headers['x-request-id'];
    const line = await server.logged('output', (record) => record.requestId === requestId);
    expect(line).toMatchObject({ level: 'error', function: 'late' });
    expect(line.message).toContain('too late');
    expect(line.stack).toMatch(/failLater .*\(functions\/late\/index\.ts:\d+:\d+\)/);
    expectUnharmed(report, 'same app', ...otherApp);
  },
);

test('11: a flood of console output is bounded, what is dropped is counted, and the host stays small', async () => {
  // Once before: what the heaps of a thread and of the host take to get going is no log.
  const first = await server.ask('output', { path: '/flood' });
  const report = await server.during('output', { row: 11, fault: 'console.log for 1.5 s' }, () =>
    growthDuring(() => server.ask('output', { path: '/flood' })),
  );
  const { result, growthMb } = report.result;
  expect(result.status).toBe(200);
  expect(growthMb).toBeLessThan(50);
  await server.logged('output', ({ message }) => /^\d+ log lines were dropped/.test(message));
  const { stats } = await server.ps('output');
  expect(stats!.droppedLogLines).toBeGreaterThan(0);
  expect(stats!.droppedLogLines).toBeLessThan(Number(first.text) + Number(result.text));
  expectUnharmed(report, 'same app', ...otherApp);
});

test('12: an endless response is made as fast as it is read, and ends at the timeout', async () => {
  await server.ask('output', { path: '/endless?sent' });
  const report = await server.during('output', { row: 12, fault: 'endless response, slow reader' }, () =>
    growthDuring(async () => {
      const socket = await openRaw(server.serve.appSocket('output'));
      const closed = once(socket, 'close');
      socket.on('error', () => {});
      socket.pause();
      socket.write('GET /endless HTTP/1.1\r\nHost: output.localhost\r\n\r\n');
      let sent = 0;
      await eventually(async () => {
        const now = Number((await server.ask('output', { path: '/endless?sent' })).text);
        const settled = now > 0 && now === sent;
        sent = now;
        await delay(100);
        return settled;
      });
      await server.logged('output', ({ message }) => message === 'aborted: TimeoutError');
      // What the kernel holds is still read; then the end comes without the chunk that says that all is there.
      let tail = '';
      socket.on('data', (chunk: Buffer) => (tail = chunk.subarray(-5).toString('latin1')));
      socket.resume();
      await within(15_000, 'the end of the connection', closed);
      return { sent, tail };
    }),
  );
  const { result, growthMb } = report.result;
  expect(result.sent).toBeLessThan(5 * MiB);
  expect(result.tail).not.toBe('0\r\n\r\n');
  expect(growthMb).toBeLessThan(50);
  expect(await inFlightOf('endless')).toBe(0);
  expectUnharmed(report, 'same app', ...otherApp);
});

test('14: a client that hangs up in its request frees the place at once, and the signal aborts', async () => {
  const report = await server.during('output', { row: 14, fault: 'client hangs up in its request' }, async () => {
    const socket = await openRaw(server.serve.appSocket('output'));
    socket.write('POST /upload HTTP/1.1\r\nHost: output.localhost\r\nContent-Length: 1000000\r\n\r\nbegun');
    await eventually(async () => (await inFlightOf('upload')) === 1);
    socket.destroy();
    await eventually(async () => (await inFlightOf('upload')) === 0);
  });
  await server.logged('output', ({ message }) => message === 'upload aborted: AbortError');
  expectUnharmed(report, 'same app', ...otherApp);
});

test('14: a client that hangs up in the response frees the place at once, and the signal aborts', async () => {
  const report = await server.during('output', { row: 14, fault: 'client hangs up in the response' }, async () => {
    const socket = await openRaw(server.serve.appSocket('output'));
    socket.write('GET /endless HTTP/1.1\r\nHost: output.localhost\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    await eventually(async () => (await inFlightOf('endless')) === 0, { deadlineMs: 10_000 });
  });
  await server.logged('output', ({ message }) => message === 'aborted: AbortError');
  expectUnharmed(report, 'same app', ...otherApp);
});
