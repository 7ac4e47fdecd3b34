import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGateway } from '../../../router/gateway/gateway.ts';
import { createAppHost } from '../../../runtime/supervisor/create-app-host.ts';
import { within } from '../../support/deadline.ts';
import { writeRelease } from '../../support/release.ts';
import { makeTempDir } from '../../support/temp-dir.ts';
import { startNeighbours, type Neighbours } from '../support/neighbours.ts';
import { expectUnharmed, otherApp, record } from '../support/record.ts';
import type { SlowOrder, SlowResult } from './slow-clients-process.ts';

/** What is 20 s for a head and 10 s for a body by default. */
const headTimeoutMs = 1_500;
const slow = `
export const config = { timeoutMs: 1_500, concurrency: 1_000 };
export default async (request) => new Response(await request.text());`;
const calm = `export default () => new Response('calm');`;

const stack = new AsyncDisposableStack();
let gateway: NetConnectOpts;
let socketOf: (app: string) => NetConnectOpts & { path: string };
let neighbours: Neighbours;

beforeAll(async () => {
  const folder = await makeTempDir();
  stack.defer(() => folder.remove());
  socketOf = (app) => ({ path: join(folder.path, `${app}.sock`) });
  for (const app of ['slow', 'calm']) {
    const host = createAppHost({ app, headTimeoutMs, onLog: () => undefined });
    stack.defer(() => host.stop());
    const release = await writeRelease(join(folder.path, app), { '/slow': slow, '/': calm });
    await host.load(release, { check: true });
    await host.activate(release);
    const server = createServer({ pauseOnConnect: true }, (socket) => host.handle(socket));
    await once(server.listen(socketOf(app).path), 'listening');
    stack.defer(() => void server.close());
  }
  const apps = ['slow', 'calm'].map((name) => ({ name, domains: [], live: true, socketPath: socketOf(name).path }));
  const front = createGateway({ apps: () => apps, version: 'test', headTimeoutMs });
  stack.defer(() => front.close());
  const at = await front.listen({ host: '127.0.0.1', port: 0 });
  gateway = at;
  const ask = { path: '/', body: 'calm' };
  neighbours = await startNeighbours([
    { name: 'same app', at, host: 'slow.localhost', ...ask },
    { name: 'same app, socket', at: { socketPath: socketOf('slow').path }, host: 'slow.localhost', ...ask },
    { name: 'other app', at, host: 'calm.localhost', ...ask },
    { name: 'other app, socket', at: { socketPath: socketOf('calm').path }, host: 'calm.localhost', ...ask },
  ]);
  stack.use(neighbours);
}, 60_000);

afterAll(() => stack.disposeAsync());

/** 1,000 clients from a process of their own; resolves when the server has ended all their connections. */
async function bother(order: SlowOrder): Promise<SlowResult> {
  const child = fork(join(import.meta.dirname, 'slow-clients-process.ts'), { execArgv: [], env: {} });
  const exited = once(child, 'exit');
  child.send(order);
  try {
    const [result] = (await within(40_000, 'the end of the slow clients', once(child, 'message'))) as [SlowResult];
    return result;
  } finally {
    child.kill();
    await exited;
  }
}

test.each(['socket', 'gateway'] as const)(
  '35: 1,000 clients that send a byte now and then get 408 (%s)',
  async (way) => {
    const at = way === 'gateway' ? gateway : socketOf('slow');
    const report = await neighbours.during(() => bother({ at, each: 250, everyMs: 700, overMs: 4_000 }));
    record({ row: 35, fault: `1,000 slow clients, ${way}` }, report);
    expect(report.result.answers, JSON.stringify(report.result)).toEqual({
      'head 408': 250,
      'body 408': 250,
      'large body 408': 250,
      'chunks 408': 250,
    });
    // Also those that share the gateway and the app's process with 1,000 connections that come and go.
    expectUnharmed(report, 'same app', 'same app, socket', ...otherApp);
  },
  60_000,
);
