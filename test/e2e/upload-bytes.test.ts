import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { within } from '../support/deadline.ts';
import { pushTree, startServe, type Serve } from '../support/serve.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

// An app host reads all its connections into one buffer: whoever keeps bytes of it must have copied them.

/** Bytes that are sent in one go. */
const piece = 9_001;

let serve: Serve;
let socketPath: string;

beforeAll(async () => {
  serve = await startServe();
  await using tree = await makeTempDir();
  const count = `let wrong = 0;
      let length = 0;
      const look = (bytes) => {
        length += bytes.length;
        for (const byte of bytes) if (byte !== mark) wrong++;
      };`;
  await writeTree(tree.path, {
    'functions/late/index.ts': `export default async (request) => {
      const mark = Number(request.headers.get('x-mark'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      ${count}
      look(await request.bytes());
      return Response.json({ wrong, length });
    };
    export const config = { concurrency: 64 };`,
    'functions/queued/index.ts': `export default async (request) => {
      const mark = Number(request.headers.get('x-mark'));
      await new Promise((resolve) => setTimeout(resolve, 20));
      ${count}
      look(await request.bytes());
      return Response.json({ wrong, length });
    };
    export const config = { concurrency: 1, maxWorkers: 1 };`,
    'functions/slow/index.ts': `export default async (request) => {
      const mark = Number(request.headers.get('x-mark'));
      ${count}
      for await (const bytes of request.body) {
        look(bytes);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      return Response.json({ wrong, length });
    };
    export const config = { concurrency: 64 };`,
    'functions/socket/index.ts': `export function websocket(socket) {
      socket.addEventListener('message', ({ data }) => {
        const bytes = new Uint8Array(data);
        const mark = bytes[0];
        socket.send(JSON.stringify({ wrong: bytes.filter((byte) => byte !== mark).length, length: bytes.length }));
      });
    }
    export const config = { concurrency: 64 };`,
  });
  socketPath = join(serve.home, 'run/bytes.sock');
  await pushTree(tree.path, await serve.createApp('bytes'));
}, 60_000);
afterAll(() => serve?.stop());

/** Sends a body of one byte, again and again, in pieces with a turn of the loop between; resolves to what the handler counted. */
async function send(path: string, { mark, size, sized }: { mark: number; size: number; sized: boolean }) {
  const socket = connect({ path: socketPath });
  await once(socket, 'connect');
  const headers = { 'x-mark': mark, host: 'bytes', ...(sized && { 'content-length': size }) };
  const asking = request({ method: 'POST', path, headers, createConnection: () => socket });
  const answer = once(asking, 'response');
  let at = 0;
  for (; at + piece < size; at += piece) {
    asking.write(Buffer.alloc(piece, mark));
    await new Promise((resolve) => setImmediate(resolve));
  }
  // With the last bytes: a server that has them may answer and close, and an end that came later would be a write to nobody.
  asking.end(Buffer.alloc(size - at, mark));
  const [response] = await within(20_000, `the answer of ${path}`, answer);
  return JSON.parse(await text(response)) as unknown;
}

const ways = [
  { path: '/late', sized: true },
  { path: '/late', sized: false },
  { path: '/slow', sized: true },
  { path: '/slow', sized: false },
];

test.each(ways)('each handler gets its own bytes of uploads at once: $path, with a length: $sized', async (way) => {
  const sizes = [1_000, 8_999, 60_000, 150_000, 600_000];
  const all = Array.from({ length: 30 }, (_, index) => ({ mark: 65 + index, size: sizes[index % sizes.length]! }));
  const counted = await Promise.all(all.map(({ mark, size }) => send(way.path, { mark, size, sized: way.sized })));
  expect(counted).toEqual(all.map(({ size }) => ({ wrong: 0, length: size })));
});

test('a request that is handed to node:http with bytes of its body has them, whatever comes on other connections', async () => {
  const open = async () => {
    const socket = connect({ path: socketPath });
    await once(socket, 'connect');
    return socket;
  };
  const sockets = await Promise.all(Array.from({ length: 20 }, open));
  const answers = sockets.map((socket) => within(20_000, 'an answer', text(socket)));
  // They wait for the one place that there is: what was read of their bodies is kept meanwhile.
  for (const [index, socket] of sockets.entries()) {
    const body = Buffer.alloc(5_000, 65 + index).toString();
    const head = `POST /queued HTTP/1.1\r\nHost: bytes\r\nX-Mark: ${65 + index}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
    socket.write(`${head}1388\r\n${body}\r\n0\r\n\r\n`);
  }
  for (const answer of await Promise.all(answers)) expect(answer).toContain('{"wrong":0,"length":5000}');
});

test('each WebSocket gets its own bytes of messages that come in many reads', async () => {
  const open = async () => {
    const client = new WebSocket(`ws+unix://${socketPath}:/socket`);
    await once(client, 'open');
    return client;
  };
  const clients = await Promise.all(Array.from({ length: 20 }, open));
  const sizes = [500, 70_000, 200_000, 500_000];
  // In frames that come one by one: what was read for one of another connection lies between.
  const send = async (client: WebSocket, body: Buffer): Promise<void> => {
    for (let at = 0; at < body.length; at += piece) {
      client.send(body.subarray(at, at + piece), { fin: at + piece >= body.length });
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const counted = await Promise.all(
    clients.map(async (client, index) => {
      const answer = once(client, 'message');
      await send(client, Buffer.alloc(sizes[index % sizes.length]!, 65 + index));
      const [data] = await within(20_000, 'a message', answer);
      return JSON.parse(String(data)) as unknown;
    }),
  );
  for (const client of clients) client.terminate();
  expect(counted).toEqual(clients.map((_, index) => ({ wrong: 0, length: sizes[index % sizes.length] })));
});
