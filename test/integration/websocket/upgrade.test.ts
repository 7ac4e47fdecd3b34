import { expect, test } from 'vitest';
import { eventually } from '../../support/deadline.ts';
import { startHost } from '../../support/host.ts';
import { fetchFrom, type HttpTarget } from '../../support/http.ts';
import { exchangeRaw, openRaw } from '../../support/raw-http.ts';
import { openSocket, refusedSocket, type SocketClient } from '../../support/websocket.ts';

const hello = `export function websocket(socket) { socket.send('hello'); }`;
const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const upgradeTo = (path: string, extra = `Sec-WebSocket-Version: 13\r\n${key}`): string =>
  `GET ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${extra}\r\n`;

/** A cold worker's start would count against a short timeout. */
const openWhenWarm = (target: HttpTarget): Promise<SocketClient> =>
  eventually(() => openSocket(target, '/', { deadlineMs: 3_000 }), { deadlineMs: 15_000 });

const withUpgrade = (body: string): string => `${hello}\nexport const upgrade = ${body};`;

test('upgrade refuses with a Response: returned, thrown, streamed and late', async () => {
  const { target, deploy } = await startHost();
  const init = `{ status: 401, headers: { 'www-authenticate': 'Basic' } }`;
  await deploy({
    '/returned': withUpgrade(`() => new Response('log in first', ${init})`),
    '/thrown': withUpgrade(`() => { throw new Response('log in first', ${init}); }`),
    '/streamed': withUpgrade(`async () => {
      const encoder = new TextEncoder();
      const parts = ['log in ', 'first'].map((part) => encoder.encode(part));
      return new Response(ReadableStream.from(parts), ${init});
    }`),
  });
  for (const path of ['/returned', '/thrown', '/streamed']) {
    const { status, headers, text } = await refusedSocket(target, path);
    expect([status, headers['www-authenticate'], text, headers.connection], path).toEqual([
      401,
      'Basic',
      'log in first',
      'close',
    ]);
    expect(headers['x-request-id']).toMatch(/^[\w.-]+$/);
  }
});

test('upgrade accepts with headers and a protocol', async () => {
  const { target, deploy } = await startHost();
  await deploy({
    '/object': withUpgrade(`async (request, ctx) => ({
      headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x-seen', new URL(request.url).search],
        ['connection', 'close'], ['sec-websocket-accept', 'forged']],
      protocol: 'v1',
    })`),
    '/headers': withUpgrade(`() => new Headers({ 'sec-websocket-protocol': 'v1', 'x-seen': 'yes' })`),
    '/nothing': withUpgrade(`() => {}`),
  });
  const object = await openSocket(target, '/object?q', { protocols: ['v2', 'v1'] });
  expect(object.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-seen': '?q', connection: 'Upgrade' });
  expect(object.ws.protocol).toBe('v1');
  expect(await object.next()).toBe('hello');
  const headers = await openSocket(target, '/headers', { protocols: ['v2', 'v1'] });
  expect([headers.headers['x-seen'], headers.ws.protocol]).toEqual(['yes', 'v1']);
  const nothing = await openSocket(target, '/nothing', { protocols: ['v2', 'v1'] });
  expect(nothing.ws.protocol).toBe('v2');
});

test('upgrade that goes wrong is answered with 502, and the log says why', async () => {
  const { target, deploy, logged } = await startHost();
  const cases: [path: string, upgrade: string, code: string, message: RegExp][] = [
    ['/throws', `() => { throw new Error('no luck'); }`, 'FN_HANDLER_FAILED', /no luck/],
    ['/string', `() => 'yes'`, 'FN_BAD_RESPONSE', /upgrade returned a value of type string/],
    ['/protocol', `() => ({ protocol: 'x' })`, 'FN_BAD_RESPONSE', /"x", which the client did not offer/],
    ['/header', `() => new Headers({ 'x-a': '\\u00e9' })`, 'FN_BAD_RESPONSE', /x-a that is not plain ASCII/],
    ['/exit', `() => process.exit(1)`, 'FN_WORKER_DIED', /lost its worker/],
  ];
  await deploy(Object.fromEntries(cases.map(([path, upgrade]) => [path, withUpgrade(upgrade)])));
  for (const [path, , code, message] of cases) {
    const id = `r${path.slice(1)}`;
    const { status, text } = await refusedSocket(target, path, { headers: { 'x-request-id': id } });
    expect([status, JSON.parse(text).code, JSON.parse(text).requestId], path).toEqual([502, code, id]);
    await logged((record) => record.level === 'error' && record.requestId === id && message.test(record.message));
  }
});

test('upgrade that takes too long is answered with 504 and aborted', async () => {
  const { target, deploy, logged } = await startHost();
  await deploy({
    '/': `${hello}
      export const config = { timeoutMs: 1000 };
      export const upgrade = (request, ctx) => request.url.endsWith('slow') ? new Promise(() =>
        ctx.signal.addEventListener('abort', () => console.log('aborted ' + ctx.signal.reason.name))) : undefined;`,
  });
  await openWhenWarm(target);
  const { status, text } = await refusedSocket(target, '/?slow');
  expect([status, JSON.parse(text).code]).toEqual([504, 'FN_TIMEOUT']);
  await logged((record) => record.message === 'aborted TimeoutError');
});

test('a function without a handler for plain requests answers them with 426', async () => {
  const { target, deploy } = await startHost();
  await deploy({ '/': hello });
  for (const method of ['GET', 'POST', 'OPTIONS']) {
    const { status, headers, json } = await fetchFrom(target, { path: '/', method });
    expect([status, headers['upgrade'], json().code]).toEqual([426, 'websocket', 'FN_UPGRADE_REQUIRED']);
    expect(headers['connection']).toMatch(/upgrade/i);
  }
});

test('a function with both answers requests and takes WebSockets', async () => {
  const { target, deploy } = await startHost();
  await deploy({ '/': `${hello}\nexport default () => new Response('plain');` });
  expect((await fetchFrom(target, { path: '/' })).text).toBe('plain');
  expect(await (await openSocket(target, '/')).next()).toBe('hello');
});

test('a function that takes no WebSockets serves the request as any other', async () => {
  const { target, deploy } = await startHost();
  await deploy({ '/': `export default (request) => new Response('plain ' + request.method)` });
  expect(await refusedSocket(target, '/')).toMatchObject({ status: 200, text: 'plain GET' });
  expect(await refusedSocket(target, '/none')).toMatchObject({ status: 404 });
});

test('handshake that is none is refused, and nothing behind it is answered', async () => {
  const { target, deploy } = await startHost();
  await deploy({ '/': `${hello}\nexport default () => new Response('plain');` });
  const version = 'Sec-WebSocket-Version: 13\r\n';
  const cases: [name: string, extra: string, status: number][] = [
    ['another version', `Sec-WebSocket-Version: 8\r\n${key}`, 426],
    ['no version', key, 426],
    ['no key', version, 400],
    ['a short key', `${version}Sec-WebSocket-Key: abc\r\n`, 400],
    ['two keys', version + key + key, 400],
    ['a protocol that is no token', `${version}${key}Sec-WebSocket-Protocol: a b\r\n`, 400],
    ['a protocol twice', `${version}${key}Sec-WebSocket-Protocol: a, a\r\n`, 400],
    ['a body', `Content-Length: 5\r\n${version}${key}`, 200],
    ['a chunked body', `Transfer-Encoding: chunked\r\n${version}${key}`, 200],
  ];
  const bodies: Record<string, string> = { 'a body': 'hello', 'a chunked body': '5\r\nhello\r\n0\r\n\r\n' };
  for (const [name, extra, status] of cases) {
    const bytes = upgradeTo('/', extra) + (bodies[name] ?? 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    const answer = await exchangeRaw(target, bytes, { deadlineMs: 15_000 });
    expect([answer.status, answer.responses], name).toEqual([status, 1]);
    if (status === 426) expect(answer.text).toMatch(/sec-websocket-version: 13/i);
  }
});

test('a connection that has carried requests becomes a WebSocket', async () => {
  const { target, deploy } = await startHost();
  await deploy({ '/': `${hello}\nexport default () => new Response('plain');` });
  const socket = await openRaw(target);
  let text = '';
  socket.on('data', (chunk: Buffer) => void (text += chunk.toString('latin1')));
  for (const count of [1, 2]) {
    socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await eventually(() => text.split('plain').length > count);
  }
  // The last request before it may still be under way.
  socket.write(`GET / HTTP/1.1\r\nHost: a.test\r\n\r\n${upgradeTo('/')}`);
  await eventually(() => text.endsWith('\x81\x05hello'));
  expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 101']);
  socket.destroy();
});

test('an upgrade behind a request that is not answered yet is a plain request, in its turn', async () => {
  const { target, deploy } = await startHost();
  await deploy({
    '/': `${hello}\nexport default async ({ method }) => {
      if (method === 'DELETE') await new Promise((resolve) => setTimeout(resolve, 300));
      return new Response(method);
    };`,
  });
  // Not in the plainest form: Node's own parser reads it, and the next one at once.
  const first = 'DELETE / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
  const { text, responses } = await exchangeRaw(target, first + upgradeTo('/'), { deadlineMs: 10_000 });
  expect(responses).toBe(2);
  expect(text).toMatch(/^HTTP\/1.1 200 [^]*DELETEHTTP\/1.1 200 [^]*GET$/);
});

test('HTTP/1.0 has no upgrades', async () => {
  const { target, deploy } = await startHost();
  await deploy({ '/': `${hello}\nexport default () => new Response('plain');` });
  const bytes = upgradeTo('/').replace('HTTP/1.1', 'HTTP/1.0');
  expect((await exchangeRaw(target, bytes, { deadlineMs: 15_000 })).status).toBe(200);
});

test('frames that come with the handshake are read', async () => {
  const { target, deploy } = await startHost();
  await deploy({
    '/': `export function websocket(socket) { socket.onmessage = ({ data }) => { socket.send(data); socket.close(); } }`,
  });
  const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
  const socket = await openRaw(target);
  socket.write(Buffer.concat([Buffer.from(upgradeTo('/')), frame]));
  let text = '';
  socket.on('data', (chunk: Buffer) => void (text += chunk.toString('latin1')));
  await eventually(() => text.includes('\r\n\r\n\x81\x02hi\x88\x00'));
  socket.destroy();
});

test('pages of the same host and of listed origins may open a socket, others not', async () => {
  const { target, deploy } = await startHost();
  const listed = (origins: string[]): string =>
    `${hello}\nexport const config = { origins: ${JSON.stringify(origins)} };`;
  await deploy({ '/': hello, '/listed': listed(['https://app.example']), '/any': listed(['*']) });
  const here = `127.0.0.1:${target.port}`;
  const cases: [path: string, origin: string, allowed: boolean][] = [
    ['/', `http://${here}`, true],
    ['/', `https://${here}`, true],
    ['/', 'http://127.0.0.1:1', false],
    ['/', 'https://evil.example', false],
    ['/', 'null', false],
    ['/', 'about:blank', false],
    ['/listed', 'https://app.example', true],
    ['/listed', `http://${here}`, true],
    ['/listed', 'https://app.example.evil', false],
    ['/any', 'https://evil.example', true],
  ];
  for (const [path, origin, allowed] of cases) {
    if (allowed) {
      expect(await (await openSocket(target, path, { headers: { origin } })).next()).toBe('hello');
    } else {
      const { status, text } = await refusedSocket(target, path, { headers: { origin } });
      expect([status, JSON.parse(text).code], `${path} from ${origin}`).toEqual([403, 'FN_ORIGIN_REFUSED']);
    }
  }
});

test('an open socket holds a place until it is closed; one too many waits, then gets 503', async () => {
  const { target, deploy, host } = await startHost();
  await deploy({
    '/': `${hello}\nexport const config = { concurrency: 1, maxWorkers: 1, timeoutMs: 30_000 };`,
  });
  const first = await openSocket(target, '/');
  const { status, headers, text } = await refusedSocket(target, '/', { deadlineMs: 15_000 });
  expect([status, JSON.parse(text).code, headers['retry-after']]).toEqual([503, 'FN_OVERLOADED', '1']);
  const waiting = openSocket(target, '/');
  first.ws.close();
  expect(await (await waiting).next()).toBe('hello');
  expect((await host.stats())!.inFlight).toBe(1);
});

test('a client that leaves while it waits for the upgrade frees its place', async () => {
  const { target, deploy, host, logged } = await startHost();
  await deploy({
    '/': `${hello}
      export const config = { concurrency: 1, maxWorkers: 1 };
      export const upgrade = (request, ctx) => request.url.endsWith('slow') && new Promise((resolve) => {
        console.log('asked');
        ctx.signal.addEventListener('abort', () => console.log('gone'));
      }) || undefined;`,
  });
  const socket = await openRaw(target);
  socket.write(upgradeTo('/?slow'));
  await logged((record) => record.message === 'asked');
  // An orderly end, which no error tells of.
  socket.end();
  await logged((record) => record.message === 'gone');
  expect(await (await openSocket(target, '/')).next()).toBe('hello');
  await eventually(async () => (await host.stats())!.inFlight === 1);
});
