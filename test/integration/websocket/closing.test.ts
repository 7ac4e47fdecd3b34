import { once } from 'node:events';
import { expect, test } from 'vitest';
import { eventually, within } from '../../support/deadline.ts';
import { startHost } from '../../support/host.ts';
import { fetchFrom } from '../../support/http.ts';
import { openRaw } from '../../support/raw-http.ts';
import { writeRelease } from '../../support/release.ts';
import { openSocket } from '../../support/websocket.ts';

const echo = `export function websocket(socket) { socket.onmessage = ({ data }) => socket.send(data); }`;

test('a handler that fails closes its socket with 1011, tells the log why, and harms no other', async () => {
  const { target, deploy, logged, host } = await startHost();
  await deploy({
    '/': `export function websocket(socket, { request }) {
      const how = new URL(request.url).search.slice(1);
      const fail = () => { throw new Error('failed ' + how); };
      if (how === 'at once') fail();
      if (how === 'later') return Promise.resolve().then(fail);
      if (how === 'uncaught') setImmediate(fail);
      socket.onmessage = how === 'listener' ? fail : how === 'async' ? async () => fail() : ({ data }) => socket.send(data);
    }`.replaceAll('at once', 'atonce'),
  });
  const other = await openSocket(target, '/?other');
  for (const how of ['atonce', 'later', 'listener', 'async']) {
    const client = await openSocket(target, `/?${how}`, { headers: { 'x-request-id': how } });
    client.ws.send('x');
    expect(await client.closed, how).toEqual({ code: 1011, reason: 'the function failed' });
    const { stack } = await logged(({ message, requestId }) => requestId === how && message.endsWith(`failed ${how}`));
    expect(stack).toContain('functions/index');
  }
  other.ws.send('still here');
  expect(await other.next()).toBe('still here');
  await eventually(async () => (await host.stats())!.inFlight === 1);
  // An error outside of every listener is told to nobody: the worker is replaced, its other sockets with it.
  const uncaught = await openSocket(target, '/?uncaught');
  expect((await uncaught.closed).code).toBe(1011);
  expect((await other.closed).code).toBe(1012);
  expect((await openSocket(target, '/?again')).ws.readyState).toBe(1);
});

test('close() takes the codes that may be sent, and no others', async () => {
  const { target, deploy } = await startHost();
  await deploy({
    '/': `export function websocket(socket) {
      for (const args of [[1005], [1006], [999], [1015], [2000], [5000], ['x'], [1000, 'r'.repeat(124)]]) {
        try { socket.close(...args); socket.send('accepted ' + args); } catch (error) { socket.send(error.name); }
      }
      socket.onmessage = ({ data }) => socket.close(...JSON.parse(data));
    }`,
  });
  const names = [];
  const first = await openSocket(target, '/');
  for (let i = 0; i < 8; i++) names.push(await first.next());
  expect(names).toEqual([...Array.from({ length: 7 }, () => 'InvalidAccessError'), 'SyntaxError']);
  for (const [args, code, reason] of [
    [[], 1005, ''],
    [[1008, 'policy'], 1008, 'policy'],
    [[4999], 4999, ''],
  ] as const) {
    const client = await openSocket(target, '/');
    client.ws.send(JSON.stringify(args));
    expect(await client.closed).toEqual({ code, reason });
  }
});

test('the handler hears of the close, and its signal aborts; what it starts then is waited for', async () => {
  const { target, deploy, logged, host } = await startHost();
  await deploy({
    '/': `export function websocket(socket, ctx) {
      ctx.signal.addEventListener('abort', () => console.log('aborted ' + socket.readyState));
      socket.addEventListener('close', async ({ code, reason, wasClean }) => {
        console.log('closed', code, reason, wasClean);
        await new Promise((resolve) => { globalThis.finish = resolve; });
        console.log('saved');
      });
    }
    export default () => { globalThis.finish(); return new Response(); };`,
  });
  const client = await openSocket(target, '/');
  client.ws.close(4000, 'bye');
  await logged((record) => record.message === 'closed 4000 bye true');
  await logged((record) => record.message === 'aborted 3');
  expect((await host.stats())!.inFlight).toBe(1);
  await fetchFrom(target, { path: '/' });
  await logged((record) => record.message === 'saved');
  await eventually(async () => (await host.stats())!.inFlight === 0);
  const vanished = await openSocket(target, '/');
  vanished.ws.terminate();
  await logged((record) => record.message === 'closed 1006  false');
  await fetchFrom(target, { path: '/' });
});

const framesOf = {
  'an unmasked frame': [Buffer.from([0x81, 0x01, 0x61]), 1002],
  'a reserved opcode': [Buffer.from([0x83, 0x80, 0, 0, 0, 0]), 1002],
  'a compressed frame': [Buffer.from([0xc1, 0x81, 0, 0, 0, 0, 0x61]), 1002],
  'text that is no UTF-8': [Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]), 1007],
  'a message above the limit': [Buffer.from([0x82, 0xfe, 0x04, 0x01, 0, 0, 0, 0]), 1009],
} as const;

test('a client that breaks the protocol is closed with the code for it', async () => {
  const { target, deploy, logged } = await startHost();
  await deploy({
    '/': `export const config = { maxMessageBytes: 1024 };
      export function websocket(socket, ctx) {
        socket.onerror = ({ type }) => console.log(type);
        socket.onclose = ({ code, wasClean }) => console.log(code, wasClean);
      }`,
  });
  for (const [name, [frame, code]] of Object.entries(framesOf)) {
    const socket = await openRaw(target);
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.write(
      `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Request-Id: c${code}\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    socket.write(frame);
    await within(15_000, name, once(socket, 'end'));
    const close = Buffer.concat(received).subarray(-4);
    expect([close[0], close.readUInt16BE(2)], name).toEqual([0x88, code]);
    socket.destroy();
    await logged(({ message, requestId }) => requestId === `c${code}` && message === `${code} false`);
  }
});

test('pings are answered', async () => {
  const { target, deploy } = await startHost();
  await deploy({ '/': echo });
  const { ws } = await openSocket(target, '/');
  const pong = once(ws, 'pong');
  ws.ping('are you there');
  expect(String((await within(15_000, 'a pong', pong))[0])).toBe('are you there');
});

test('a socket without messages for socketIdleMs is closed with 1000', async () => {
  const { target, deploy } = await startHost();
  await deploy({ '/': `${echo}\nexport const config = { socketIdleMs: 1000 };` });
  const client = await openSocket(target, '/');
  const opened = performance.now();
  client.ws.ping();
  expect(await client.closed).toEqual({ code: 1000, reason: 'idle' });
  expect(performance.now() - opened).toBeGreaterThan(900);
});

test('a worker that ends or blocks closes its sockets with 1011; those of others go on', async () => {
  const { target, deploy, logged } = await startHost();
  const doing = (what: string): string => `export const config = { timeoutMs: 2_000 };
    export default () => new Response();
    export function websocket(socket) { socket.onmessage = ({ data }) => { if (data === 'go') ${what}; socket.send(data); }; }`;
  await deploy({ '/exit': doing('process.exit(1)'), '/block': doing('for (;;);'), '/other': echo });
  const other = await openSocket(target, '/other');
  for (const path of ['/exit', '/block']) {
    // Warm first: the start of a cold worker would count against the short timeout.
    await eventually(async () => (await fetchFrom(target, { path })).status === 200);
    const [one, two] = await Promise.all([openSocket(target, path), openSocket(target, path)]);
    one.ws.send('hello');
    expect(await one.next()).toBe('hello');
    one.ws.send('go');
    expect((await one.closed).code, path).toBe(1011);
    expect((await two.closed).code, path).toBe(1011);
    other.ws.send(path);
    expect(await other.next()).toBe(path);
  }
  await logged((record) => /took no message for 2000 ms/.test(record.message));
});

test('a deployment closes the sockets of what it changes with 1012, and of nothing else', async () => {
  const { target, deploy, host, dir, logged } = await startHost();
  const changing = (text: string): string => `export function websocket(socket, ctx) {
    socket.send('${text} ' + ctx.release);
    socket.onclose = ({ code, wasClean }) => console.log('${text} closed', code, wasClean);
  }`;
  const same = `export function websocket(socket, ctx) { socket.onmessage = () => socket.send(ctx.release); }`;
  await deploy({ '/changing': changing('old'), '/same': same });
  const old = await openSocket(target, '/changing');
  expect(await old.next()).toBe('old r1');
  const staying = await openSocket(target, '/same');
  const next = await writeRelease(dir, { '/changing': changing('new'), '/same': same }, { id: 'next' });
  await host.load(next, { check: true });
  expect(await host.activate(next)).toMatchObject({ carriedOver: 1 });
  expect(await old.closed).toEqual({ code: 1012, reason: 'the function is being replaced' });
  await logged((record) => record.message === 'old closed 1012 true');
  expect(await (await openSocket(target, '/changing')).next()).toBe('new next');
  staying.ws.send('who are you');
  expect(await staying.next()).toBe('next');
  // The worker of the old release ends with its last socket.
  await eventually(async () => (await host.stats())!.functions.every(({ workers }) => workers === 1));
});

test('a client that does not answer the close is cut off', async () => {
  const { target, deploy, logged } = await startHost();
  const told = `export function websocket(socket) { socket.onclose = ({ code }) => console.log('closed ' + code); }`;
  await deploy({ '/': told });
  const client = await openSocket(target, '/');
  client.ws.pause();
  await deploy({ '/': `${told}\n// changed` });
  await logged((record) => record.message === 'closed 1006');
  client.ws.resume();
  expect((await client.closed).code).toBe(1012);
});

test('a host that stops closes its sockets with 1001', async () => {
  const { target, deploy, host } = await startHost();
  await deploy({ '/': echo });
  const client = await openSocket(target, '/');
  const stopped = host.stop();
  expect((await client.closed).code).toBe(1001);
  await stopped;
});
