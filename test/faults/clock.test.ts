import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { makeTempDir, type TempDir } from '../support/temp-dir.ts';
import { createMovableClock, type MovableClock } from './support/clock.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { allow } from './support/machine.ts';
import { expectUnharmed, otherApp } from './support/record.ts';

vi.setConfig({ testTimeout: 60_000 });

const hourMs = 3_600_000;
let folder: TempDir;
let clock: MovableClock;
let server: FaultServer;

beforeAll(async () => {
  folder = await makeTempDir();
  clock = await createMovableClock(folder.path);
  server = await startFaultServer({ jumps: {} }, { env: clock.env });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await folder?.remove();
});

/** How far a handler's clock is from ours. */
const offsetMs = async (): Promise<number> =>
  Number((await server.ask('jumps', { path: '/time?ms=0' })).text) - Date.now();

async function timed(path: string, agent?: Agent) {
  const before = performance.now();
  const { status } = await server.ask('jumps', { path, ...(agent && { agent }) });
  return { status, ms: performance.now() - before };
}

test.each([
  { fault: 'clock jumps one hour ahead', seconds: 3_600 },
  { fault: 'clock jumps two hours back', seconds: -3_600 },
])('42: $fault: timers, timeouts and connections go on as if nothing was', async ({ fault, seconds }) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const sockets = new Set<Socket>();
  agent.on('free', (socket: Socket) => void sockets.add(socket));
  await timed('/time?ms=0', agent);
  const report = await server.during('jumps', { row: 42, fault }, async () => {
    // Under way while the clock jumps: one that answers in time, one that never does.
    const underWay = [timed('/time?ms=400', agent), timed('/never')];
    await timed('/steady');
    await clock.move(seconds);
    return await Promise.all([...underWay, timed('/never')]);
  });
  const [answered, ...timedOut] = report.result;
  expect(answered!.status).toBe(200);
  expect(answered!.ms).toBeGreaterThanOrEqual(399);
  expect(answered!.ms).toBeLessThan(400 + allow(300, report));
  for (const { status, ms } of timedOut) {
    expect(status).toBe(504);
    expect(ms).toBeGreaterThanOrEqual(499);
    expect(ms).toBeLessThan(500 + allow(300, report));
  }
  await timed('/time?ms=0', agent);
  expect(sockets.size).toBe(1);
  agent.destroy();
  // The jump was one.
  expect(Math.abs((await offsetMs()) - Math.sign(seconds) * hourMs)).toBeLessThan(60_000);
  expectUnharmed(report, 'same app', ...otherApp);
});
