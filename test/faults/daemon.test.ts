import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startCli } from '../support/cli.ts';
import { eventually } from '../support/deadline.ts';
import { fetchFrom } from '../support/http.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { allow, measureSlowness } from './support/machine.ts';

vi.setConfig({ testTimeout: 60_000 });

let server: FaultServer;

beforeAll(async () => {
  server = await startFaultServer({ orphan: {} });
});
afterAll(() => server?.[Symbol.asyncDispose]());

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('17: a server that is killed under load takes its hosts with it, and serves again within a second of its start', async () => {
  const hosts = await Promise.all([server.pidOf('orphan'), server.pidOf('calm')]);
  let answered = 0;
  let gone = false;
  const client = async (): Promise<void> => {
    while (!gone) {
      const ok = await server.ask('orphan', { path: '/slow' }).then(
        ({ status }) => status === 200,
        () => false,
      );
      if (ok) answered++;
    }
  };
  const clients = Array.from({ length: 8 }, client);
  await eventually(() => answered > 100);
  await server.serve.cli.stop('SIGKILL');
  gone = true;
  await Promise.all(clients);
  await eventually(() => hosts.every((pid) => !isRunning(pid)));

  const { home } = server.serve;
  const before = performance.now();
  await using again = await startCli(['serve', '--home', home, '--listen', '127.0.0.1:0']);
  expect(again.ready).toMatch(/^http:/);
  // The very first request is one that waits for the host.
  const { status, text } = await fetchFrom(server.serve.appSocket('orphan'), { path: '/slow' });
  const servedMs = performance.now() - before;
  expect([status, text]).toEqual([200, 'fine']);
  expect(servedMs).toBeLessThan(allow(1_000, { slowness: await measureSlowness() }));
});
