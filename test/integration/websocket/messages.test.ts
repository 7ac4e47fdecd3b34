import { expect, test } from 'vitest';
import { startHost } from '../../support/host.ts';
import { openSocket } from '../../support/websocket.ts';

const echo = `export function websocket(socket) { socket.onmessage = ({ data }) => socket.send(data); }`;

test('messages come back as they went: text, bytes, empty, large', async () => {
  const { target, deploy } = await startHost();
  await deploy({ '/': echo });
  const client = await openSocket(target, '/');
  const sent = [
    'grüße 👋',
    '',
    Buffer.from([0, 255, 128]),
    Buffer.alloc(0),
    'x'.repeat(300_000),
    Buffer.alloc(900_000, 7),
  ];
  for (const message of sent) {
    client.ws.send(message);
    const back = await client.next();
    expect(typeof back).toBe(typeof message);
    expect(typeof message === 'string' ? back === message : message.equals(back as Buffer)).toBe(true);
  }
  client.ws.close(4001, 'done');
  expect(await client.closed).toEqual({ code: 4001, reason: 'done' });
});

test('messages keep their order, blobs among them too', async () => {
  const { target, deploy } = await startHost();
  await deploy({
    '/': `export function websocket(socket) {
      socket.send('first');
      const bytes = new Uint8Array([1, 2, 3]);
      socket.send(new Blob(['a ', 'blob']));
      socket.send(bytes.subarray(1));
      bytes.fill(9);
      socket.send(bytes.buffer);
      socket.send(42);
      const told = socket.bufferedAmount;
      socket.send(new DataView(new ArrayBuffer(2)));
      socket.send(String(told));
      socket.close(1000, 'all sent');
      socket.send('never');
    }`,
  });
  const client = await openSocket(target, '/');
  const got = [];
  for (let i = 0; i < 7; i++) got.push(await client.next());
  const bytes = (...values: number[]) => Buffer.from(values);
  expect(got).toEqual(['first', Buffer.from('a blob'), bytes(2, 3), bytes(9, 9, 9), '42', bytes(0, 0), '18']);
  expect(await client.closed).toEqual({ code: 1000, reason: 'all sent' });
});

test('many messages of many sockets arrive, each once and in order', async () => {
  const { target, deploy } = await startHost();
  await deploy({ '/': echo });
  const clients = await Promise.all(Array.from({ length: 5 }, () => openSocket(target, '/')));
  await Promise.all(
    clients.map(async (client, number) => {
      for (let i = 0; i < 500; i++) client.ws.send(`${number}:${i}`);
      for (let i = 0; i < 500; i++) expect(await client.next()).toBe(`${number}:${i}`);
    }),
  );
});

test('socket has the interface of the standard', async () => {
  const { target, deploy } = await startHost();
  await deploy({
    '/chat/:room': `export function websocket(socket, ctx) {
      const { readyState, protocol, url, extensions, binaryType, bufferedAmount, onmessage, OPEN } = socket;
      const { params, requestId, app, release } = ctx;
      socket.send(JSON.stringify({
        readyState, protocol, url, extensions, binaryType, bufferedAmount, onmessage, OPEN,
        name: Object.prototype.toString.call(socket), target: socket instanceof EventTarget,
        params, app, release, own: ctx.request.headers.get('x-own'), method: ctx.request.method,
        path: new URL(ctx.request.url).pathname, sameId: ctx.request.headers.get('x-request-id') === requestId,
        deadline: ctx.deadlineMs() === Infinity, signal: ctx.signal.aborted,
      }));
    }`,
  });
  const headers = { 'x-own': 'yes', 'x-request-id': 'mine' };
  const client = await openSocket(target, '/chat/tea?x=1', { protocols: ['v2', 'v1'], headers });
  expect(client.headers).toMatchObject({ 'x-request-id': 'mine', 'sec-websocket-protocol': 'v2' });
  expect(client.headers).not.toHaveProperty('sec-websocket-extensions');
  expect(JSON.parse(String(await client.next()))).toEqual({
    readyState: 1,
    protocol: 'v2',
    url: `ws://127.0.0.1:${target.port}/chat/tea?x=1`,
    extensions: '',
    binaryType: 'arraybuffer',
    bufferedAmount: 0,
    onmessage: null,
    OPEN: 1,
    name: '[object WebSocket]',
    target: true,
    params: { room: 'tea' },
    app: 'test',
    release: 'r1',
    own: 'yes',
    method: 'GET',
    path: '/chat/tea',
    sameId: true,
    deadline: true,
    signal: false,
  });
});

test('listeners may be functions and objects, be added once, removed and replaced', async () => {
  const { target, deploy } = await startHost();
  await deploy({
    '/': `export function websocket(socket) {
      const say = (name) => () => socket.send(name);
      const removed = say('removed');
      socket.addEventListener('message', removed);
      socket.removeEventListener('message', removed);
      socket.addEventListener('message', say('once'), { once: true });
      socket.addEventListener('message', { handleEvent() { socket.send(this.name); }, name: 'object' });
      socket.onmessage = say('replaced');
      socket.onmessage = function () { socket.send(String(this === socket)); };
    }`,
  });
  const client = await openSocket(target, '/');
  client.ws.send('1');
  client.ws.send('2');
  const got = [];
  for (let i = 0; i < 5; i++) got.push(await client.next());
  expect(got).toEqual(['once', 'object', 'true', 'object', 'true']);
});

test('binary messages come as blobs when the handler asks for it', async () => {
  const { target, deploy } = await startHost();
  await deploy({
    '/': `export function websocket(socket) {
      socket.binaryType = 'nonsense';
      socket.onmessage = ({ data }) => {
        socket.send(data.constructor.name);
        socket.binaryType = 'blob';
      };
    }`,
  });
  const client = await openSocket(target, '/');
  client.ws.send(Buffer.from([1]));
  expect(await client.next()).toBe('ArrayBuffer');
  client.ws.send(Buffer.from([1]));
  expect(await client.next()).toBe('Blob');
});

test('messages wait until an asynchronous handler listens, the close behind them', async () => {
  const { target, deploy, logged, logs } = await startHost();
  await deploy({
    '/': `export async function websocket(socket, ctx) {
      await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
      console.log('state ' + socket.readyState);
      socket.addEventListener('message', ({ data }) => console.log('got ' + data));
      socket.addEventListener('close', ({ code, reason, wasClean }) => console.log('closed', code, reason, wasClean));
    }`,
  });
  const client = await openSocket(target, '/');
  client.ws.send('a');
  client.ws.send('b');
  client.ws.close(4000, 'bye');
  await logged((record) => record.message === 'closed 4000 bye true');
  expect(logs.map(({ message }) => message)).toEqual(['state 3', 'got a', 'got b', 'closed 4000 bye true']);
});

test('a log line of a listener has the request id of its socket', async () => {
  const { target, deploy, logged } = await startHost();
  await deploy({
    '/': `export function websocket(socket, ctx) { socket.onmessage = () => console.log('heard'); }`,
  });
  const client = await openSocket(target, '/', { headers: { 'x-request-id': 'conversation-1' } });
  client.ws.send('x');
  expect(await logged((record) => record.message === 'heard')).toMatchObject({ requestId: 'conversation-1' });
});
