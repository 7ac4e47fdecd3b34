import { spawnSync } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot, startCli } from '../support/cli.ts';
import { targetOf, type HttpTarget } from '../support/http.ts';
import { startNginx } from '../support/nginx.ts';
import { pushTree, startServe } from '../support/serve.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';
import { openSocket } from '../support/websocket.ts';
import { socketCases } from './cases/websocket.ts';

const app = 'talk';
const host = `${app}.localhost`;
const cleanups: (() => Promise<unknown>)[] = [];
const targets = new Map<string, HttpTarget>();
let dir: string;
let remote: string;

beforeAll(async () => {
  const found = ['nginx', '/usr/sbin/nginx'].some((path) => spawnSync(path, ['-v']).error === undefined);
  if (!found) throw new Error('These tests need nginx, which is not installed: apt-get install nginx');
  const folder = await makeTempDir();
  cleanups.push(folder.remove);
  dir = join(folder.path, app);
  await cp(join(repositoryRoot, 'test/fixtures/websocket'), dir, { recursive: true });
  const dev = await startCli(['dev', dir, '--port', '0']);
  cleanups.push(dev.stop);
  targets.set('dev', targetOf(dev.ready));
  const serve = await startServe();
  cleanups.push(serve.stop);
  remote = await serve.createApp(app);
  await pushTree(dir, remote);
  targets.set('gateway', serve.gateway);
  const socket = serve.appSocket(app);
  targets.set('socket', socket);
  const nginx = await startNginx([{ name: app, hostname: host, ...(socket as { socketPath: string }) }]);
  cleanups.push(nginx.stop);
  targets.set('nginx', nginx.target);
}, 120_000);

afterAll(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
}, 60_000);

const ways = ['dev', 'socket', 'gateway', 'nginx'];

describe.each(ways)('WebSockets through %s', (way) => {
  test.each(socketCases.map(({ name, run }) => [name, run] as const))('%s', async (_name, run) => {
    await run({ target: targets.get(way)!, host });
  });
});

test('behind TLS that ends in front of the app, the url says wss', async () => {
  const headers = { host, 'x-forwarded-proto': 'https' };
  const client = await openSocket(targets.get('socket')!, '/socket/a', { headers });
  client.ws.send('who');
  expect(JSON.parse(String(await client.next()))).toMatchObject({ url: `wss://${host}/socket/a` });
});

test('a push closes the sockets of what it changes with 1012, however they are reached', async () => {
  const clients = await Promise.all(
    ways.map((way) => openSocket(targets.get(way)!, '/socket/pushed', { headers: { host }, deadlineMs: 30_000 })),
  );
  // `fnrun dev` watches this folder.
  await writeTree(dir, {
    'functions/socket/[name]/index.ts': 'export function websocket(socket: WebSocket): void { socket.send("new"); }',
  });
  await pushTree(dir, remote);
  const closes = await Promise.all(clients.map(({ closed }) => closed));
  expect(closes.map(({ code }) => code)).toEqual(ways.map(() => 1012));
  for (const way of ways) {
    const client = await openSocket(targets.get(way)!, '/socket/pushed', { headers: { host } });
    expect(await client.next(), way).toBe('new');
  }
});
