import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { socketLimits } from '../../../runtime/contract/limits.ts';
import { OpenSocket } from '../../../runtime/host/websocket/open-socket.ts';
import { trackSockets } from '../../../runtime/host/websocket/open-sockets.ts';
import { eventually, within } from '../../support/deadline.ts';
import { startHost } from '../../support/host.ts';
import { fetchFrom } from '../../support/http.ts';
import { openRaw } from '../../support/raw-http.ts';
import { openSocket } from '../../support/websocket.ts';

const MiB = 1024 * 1024;
/** What the kernel may hold of one connection, both ends together, and some for the rest of the process. */
const slackBytes = 48 * MiB;

test('two hundred sockets are open at once, and every one is heard', { timeout: 60_000 }, async () => {
  const { target, deploy, host } = await startHost();
  await deploy({
    '/': `export const config = { concurrency: 200, maxWorkers: 1 };
      const all = new Set();
      export function websocket(socket) {
        all.add(socket);
        socket.onmessage = ({ data }) => { for (const each of all) each.send(data); };
        socket.onclose = () => all.delete(socket);
      }`,
  });
  const clients = await Promise.all(Array.from({ length: 200 }, () => openSocket(target, '/', { deadlineMs: 30_000 })));
  expect((await host.stats())!.inFlight).toBe(200);
  clients[0]!.ws.send('to all');
  expect(new Set(await Promise.all(clients.map((client) => client.next())))).toEqual(new Set(['to all']));
  for (const client of clients) client.ws.close();
  await Promise.all(clients.map((client) => client.closed));
  await eventually(async () => (await host.stats())!.inFlight === 0);
});

test('whatever becomes of sockets, their places are free afterwards', { timeout: 60_000 }, async () => {
  const { target, deploy, host } = await startHost();
  await deploy({
    '/': `export const config = { concurrency: 5, maxWorkers: 1 };
      export const upgrade = (request) => {
        const { search } = new URL(request.url);
        if (search === '?refuse') return new Response('no', { status: 403 });
        if (search === '?fail') throw new Error('as asked');
        if (search === '?slow') return new Promise((resolve) => setTimeout(resolve, 20));
      };
      export function websocket(socket, { request }) {
        if (request.url.endsWith('?throw')) throw new Error('as asked');
        socket.onmessage = ({ data }) => { if (data === 'bye') socket.close(); else throw new Error('as asked'); };
      }`,
  });
  const ends: ((ws: WebSocket) => void)[] = [
    (ws) => ws.close(),
    (ws) => ws.terminate(),
    (ws) => ws.send('bye'),
    (ws) => ws.send('throw'),
    (ws) => ws.send(Buffer.alloc(2 * MiB)),
    () => {},
  ];
  for (let wave = 0; wave < 10; wave++) {
    const clients = ['refuse', 'fail', 'slow', 'throw', 'well', 'slow'].map(async (how, i) => {
      const ws = new WebSocket(`ws://${target.host}:${target.port}/?${how}`);
      const closed = new Promise((resolve) => ws.on('close', resolve));
      ws.on('error', () => {});
      const end = ends[(wave + i) % ends.length]!;
      ws.on('open', () => end(ws));
      // Some leave in the middle of the handshake, some never by themselves.
      if (how === 'slow' && wave % 3 === 0) ws.on('upgrade', () => ws.terminate());
      if (end === ends.at(-1)) setTimeout(() => ws.terminate(), 50);
      await within(15_000, `the end of ${how}`, closed);
    });
    await Promise.all(clients);
  }
  await eventually(async () => (await host.stats())!.inFlight === 0);
  const all = await Promise.all(Array.from({ length: 5 }, () => openSocket(target, '/?well')));
  expect((await host.stats())!).toMatchObject({ inFlight: 5, queued: 0 });
  for (const { ws } of all) ws.terminate();
  await eventually(async () => (await host.stats())!.inFlight === 0);
});

test('a handler that sends more than its client reads sees it, and is cut off at the bound; memory stays flat', async () => {
  const { target, deploy, logged, host } = await startHost();
  await deploy({
    '/': `export async function websocket(socket) {
      const chunk = new Uint8Array(64 * 1024);
      socket.onclose = ({ code }) => console.log('closed ' + code);
      let most = 0;
      for (let sent = 0; sent < 256 * 2 ** 20 && socket.readyState === 1; sent += chunk.length) {
        socket.send(chunk);
        most = Math.max(most, socket.bufferedAmount);
        // Other sockets have their turn, and what the client takes is seen.
        if (sent % (16 * chunk.length) === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      console.log('most ' + most + ' state ' + socket.readyState);
    }`,
  });
  const before = (await host.stats())!.rssBytes;
  const client = await openSocket(target, '/');
  client.ws.pause();
  const { message } = await logged((record) => record.message.startsWith('most '));
  const [, most, state] = /^most (\d+) state (\d)$/.exec(message)!;
  expect(Number(most)).toBeLessThanOrEqual(socketLimits.bufferedBytes);
  expect(Number(most)).toBeGreaterThan(socketLimits.bufferedBytes / 2);
  expect(Number(state)).toBeGreaterThanOrEqual(2);
  // The bytes are there twice for a moment: in the thread that sent them and in the one that writes them.
  expect((await host.stats())!.rssBytes - before).toBeLessThan(3 * socketLimits.bufferedBytes + slackBytes);
  // It still does not read: the close frame is never seen, and the connection is cut.
  await logged((record) => record.message === 'closed 1006');
});

test('a handler that minds bufferedAmount sends any amount to a client that reads slowly', async () => {
  const { target, deploy } = await startHost();
  await deploy({
    '/': `export async function websocket(socket) {
      const chunk = new Uint8Array(64 * 1024);
      for (let i = 0; i < 640; i++) {
        while (socket.bufferedAmount > 2 ** 20) await new Promise((resolve) => setTimeout(resolve, 1));
        socket.send(chunk);
      }
      socket.close(1000, 'all');
    }`,
  });
  const client = await openSocket(target, '/');
  let bytes = 0;
  client.ws.on('message', (data: Buffer) => {
    bytes += data.length;
    client.ws.pause();
    setImmediate(() => client.ws.resume());
  });
  expect(await client.closed).toEqual({ code: 1000, reason: 'all' });
  expect(bytes).toBe(640 * 64 * 1024);
});

test(
  'a client that sends more than its handler takes is read no further; memory stays flat',
  { timeout: 60_000 },
  async () => {
    const { target, deploy, logged, host } = await startHost();
    await deploy({
      '/': `let taken = 0;
      export function websocket(socket) {
        socket.onmessage = async () => {
          taken++;
          await new Promise((resolve) => { (globalThis.waiting ??= []).push(resolve); });
        };
        socket.onclose = () => console.log('taken ' + taken);
      }
      export default () => {
        for (const resolve of globalThis.waiting.splice(0)) resolve();
        globalThis.waiting = { push: (resolve) => resolve(), splice: () => [] };
        return new Response();
      };`,
    });
    const client = await openSocket(target, '/');
    const message = Buffer.alloc(64 * 1024);
    const before = (await host.stats())!.rssBytes;
    const count = 64 * 16;
    for (let i = 0; i < count; i++) client.ws.send(message);
    // The kernel's buffers fill and the client gets rid of no more: it stays at what it has.
    let last = -1;
    await eventually(
      () => {
        const now = client.ws.bufferedAmount;
        const still = now === last;
        last = now;
        return still;
      },
      { everyMs: 300, deadlineMs: 10_000 },
    );
    expect(last).toBeGreaterThan(count * message.length - slackBytes);
    expect((await host.stats())!.rssBytes - before).toBeLessThan(slackBytes);
    await fetchFrom(target, { path: '/' });
    client.ws.close();
    await logged((record) => record.message === `taken ${count}`);
  },
);

test('many tiny messages are bounded too', async () => {
  const { target, deploy, logged } = await startHost();
  await deploy({
    '/': `export function websocket(socket) {
      let sent = 0;
      while (socket.readyState === 1) { socket.send(''); sent++; }
      console.log('sent ' + sent);
    }`,
  });
  const client = await openSocket(target, '/');
  const { message } = await logged((record) => record.message.startsWith('sent '));
  expect(Number(message.slice(5))).toBeLessThanOrEqual(
    socketLimits.bufferedBytes / socketLimits.messageOverheadBytes + 1,
  );
  expect(await client.closed).toEqual({ code: 1013, reason: 'the client does not read fast enough' });
});

test('a client that answers no ping is dropped, one that does stays', async () => {
  const sockets = trackSockets({ pingEveryMs: 150 });
  const closed: string[] = [];
  const wss = new WebSocketServer({ noServer: true });
  const server = createServer().on('upgrade', (req, socket, head) => {
    wss.handleUpgrade(req, socket as Socket, head, (ws) => {
      sockets.begin();
      const name = req.url!;
      const open: OpenSocket = new OpenSocket(ws, {
        // The worker's part is not what this is about: nobody takes or sends a message.
        worker: { post: () => {}, abort: () => {} },
        id: 1,
        settings: { timeoutMs: 10_000, socketIdleMs: 60_000 },
        onTrouble: () => {},
        onClosed: (code) => {
          closed.push(`${name} ${code}`);
          sockets.end(open);
        },
      });
      sockets.add(open);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const sound = await openSocket(target, '/sound');
  const raw = await openRaw(target);
  onTestFinished(() => void raw.destroy());
  raw.write(
    'GET /silent HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  raw.resume();
  await within(15_000, 'the end of the silent one', new Promise((resolve) => raw.once('close', resolve)));
  await eventually(() => closed.length > 0);
  expect(closed).toEqual(['/silent 1006']);
  expect([sound.ws.readyState, sockets.underWay]).toEqual([1, 1]);
  sound.ws.close(4000);
  await eventually(() => sockets.underWay === 0);
  expect(closed).toEqual(['/silent 1006', '/sound 4000']);
});
