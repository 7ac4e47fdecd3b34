import { once } from 'node:events';
import { connect, createServer as createSocketServer } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { gatewayTo, startGateway } from './gateway-fixture.ts';
import type { GatewayFixture } from './gateway-fixture.ts';
import { ask, askRaw } from './http-client.ts';

const host = '127.0.0.1';

async function gatewayToEcho(): Promise<{ fixture: GatewayFixture; sockets: WebSocketServer }> {
  const fixture = await startGateway();
  const sockets = new WebSocketServer({ server: await fixture.startApp('app', {}) });
  sockets.on('connection', (socket, req) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('error', () => {});
    if (req.url === '/hello') socket.send(JSON.stringify(req.headers));
  });
  return { fixture, sockets };
}

const upgradeTo = (path: string, extra = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: app.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${extra}` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

describe('gateway, WebSockets', () => {
  test('carries text and binary messages both ways', async () => {
    const { fixture } = await gatewayToEcho();
    await using _ = fixture;
    const client = new WebSocket(`ws://${host}:${fixture.port}/chat?x=1`, ['chat']);
    await once(client, 'open');
    client.send('grüße');
    expect(String((await once(client, 'message'))[0])).toBe('grüße');
    const bytes = Buffer.alloc(3 * 1024 * 1024, 7);
    client.send(bytes);
    expect(bytes.equals((await once(client, 'message'))[0] as Buffer)).toBe(true);
    client.close(1000, 'done');
    expect((await once(client, 'close'))[0]).toBe(1000);
  });

  test('carries what comes with the handshake', async () => {
    const { fixture } = await gatewayToEcho();
    await using _ = fixture;
    const client = connect(fixture.port, host);
    // "hi", masked with zeros.
    client.write(`${upgradeTo('/')}\x81\x82\0\0\0\0hi`, 'latin1');
    let received = '';
    for await (const chunk of client) {
      received += (chunk as Buffer).toString('latin1');
      if (received.endsWith('\r\n\r\n\x81\x02hi')) break;
    }
    expect(received).toMatch(/^HTTP\/1\.1 101 /);
  });

  test('says itself who the client is', async () => {
    const { fixture } = await gatewayToEcho();
    await using _ = fixture;
    const headers = { 'x-forwarded-for': '6.6.6.6', 'x-fnrun-x': '1', cookie: 'a=1' };
    const client = new WebSocket(`ws://${host}:${fixture.port}/hello`, { headers });
    const seen = JSON.parse(String((await once(client, 'message'))[0]));
    client.terminate();
    expect(seen).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http', cookie: 'a=1' });
    expect(seen).not.toHaveProperty('x-fnrun-x');
  });

  test('ends the other side when one vanishes', async () => {
    const { fixture, sockets } = await gatewayToEcho();
    await using _ = fixture;
    const connected = once(sockets, 'connection') as Promise<[WebSocket]>;
    const first = new WebSocket(`ws://${host}:${fixture.port}`);
    const [upstream] = await connected;
    const gone = once(upstream, 'close');
    await once(first, 'open');
    first.terminate();
    expect((await gone)[0]).toBe(1006);

    const again = once(sockets, 'connection') as Promise<[WebSocket]>;
    const second = new WebSocket(`ws://${host}:${fixture.port}`);
    await once(second, 'open');
    const closed = once(second, 'close');
    (await again)[0].terminate();
    expect((await closed)[0]).toBe(1006);
  });

  test('gives up a WebSocket that carries nothing, and none that does', async () => {
    await using fixture = await startGateway({ socketIdleMs: 1_000 });
    const sockets = new WebSocketServer({ server: await fixture.startApp('app', {}) });
    const connected = once(sockets, 'connection') as Promise<[WebSocket]>;
    const quiet = new WebSocket(`ws://${host}:${fixture.port}`);
    const [upstream] = await connected;
    const [gone, closed] = [once(upstream, 'close'), once(quiet, 'close')];
    const lively = new WebSocket(`ws://${host}:${fixture.port}`);
    await once(lively, 'open');
    const pinger = setInterval(() => lively.ping(), 50);
    expect([(await gone)[0], (await closed)[0]]).toEqual([1006, 1006]);
    expect(lively.readyState).toBe(WebSocket.OPEN);
    clearInterval(pinger);
    lively.terminate();
  });

  test('tells the app when the client leaves in the middle of the handshake', async () => {
    await using fixture = await startGateway();
    const { socketPath } = fixture.addApp('app');
    const server = createSocketServer().listen(socketPath);
    const asked = once(server, 'connection') as Promise<[Socket]>;
    const client = connect(fixture.port, host);
    client.write(upgradeTo('/'));
    const [upstream] = await asked;
    await once(upstream, 'data');
    const gone = once(upstream, 'end');
    client.end();
    await gone;
    upstream.destroy();
    server.close();
  });

  test('serves a handshake behind a request that is not answered yet as a plain request', async () => {
    await using fixture = await gatewayTo((req, res) => {
      setTimeout(() => res.end(`${req.method} ${req.url};`), req.url === '/slow' ? 200 : 0);
    });
    const first = 'GET /slow HTTP/1.1\r\nHost: app.localhost\r\n\r\n';
    const answer = await askRaw({ port: fixture.port, host }, first + upgradeTo('/ws'));
    expect(answer.match(/HTTP\/1\.1 \d+|GET [^;]+/g)).toEqual(['HTTP/1.1 200', 'GET /slow', 'HTTP/1.1 200', 'GET /ws']);
  });

  test('serves a handshake with a body as a plain request', async () => {
    await using fixture = await gatewayTo((req, res) => req.on('data', (body) => res.end(`plain ${body}`)));
    const answer = await askRaw({ port: fixture.port, host }, upgradeTo('/', 'Content-Length: 5\r\n') + 'hello');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain('plain hello');
  });

  test('passes on what a 426 asks for', async () => {
    await using fixture = await gatewayTo((_req, res) =>
      res.writeHead(426, { upgrade: 'websocket', connection: 'upgrade' }).end(),
    );
    const answer = await ask({ port: fixture.port });
    expect([answer.status, answer.headers['upgrade']]).toEqual([426, 'websocket']);
    expect(answer.headers['connection']).toMatch(/upgrade/);
  });

  test('passes on the answer of an app that does not upgrade', async () => {
    await using fixture = await gatewayTo((_req, res) => res.writeHead(426, { 'x-why': 'no' }).end('not here'));
    const answer = await askRaw({ port: fixture.port, host }, upgradeTo('/'));
    expect(answer).toMatch(/^HTTP\/1\.1 426 /);
    expect(answer).toMatch(/x-why: no/);
    expect(answer).toContain('not here');
  });

  test.each([
    ['an unknown host', upgradeTo('/').replace('app.localhost', 'other.localhost'), 404, 'FN_APP_NOT_FOUND'],
    ['two hosts', upgradeTo('/', 'Host: b.localhost\r\n'), 400, 'FN_BAD_REQUEST'],
    ['a dot segment', upgradeTo('/a/../b'), 400, 'FN_BAD_REQUEST'],
    ['an app that is down', upgradeTo('/').replace('app.localhost', 'down.localhost'), 503, 'FN_APP_UNAVAILABLE'],
  ])('refuses an upgrade for %s with a problem document', async (_name, text, status, code) => {
    const { fixture } = await gatewayToEcho();
    await using _ = fixture;
    fixture.addApp('down');
    const answer = await askRaw({ port: fixture.port, host }, text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain(`"code":"${code}"`);
    expect(answer.includes('\r\nretry-after: 1\r\n')).toBe(status === 503);
  });

  test('answers 502 when the app ends in the middle of the handshake', async () => {
    await using fixture = await startGateway();
    const { socketPath } = fixture.addApp('app');
    const server = createSocketServer((socket: Socket) => socket.destroy()).listen(socketPath);
    const answer = await askRaw({ port: fixture.port, host }, upgradeTo('/'));
    server.close();
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
  });

  test('serves a request that offers another upgrade as it is', async () => {
    await using fixture = await gatewayTo((req, res) => res.end(`plain ${req.headers.upgrade ?? ''}`));
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' };
    const answer = await ask({ port: fixture.port, headers });
    expect([answer.status, answer.body]).toEqual([200, 'plain ']);
  });

  test('says that the answer to an upgrade has too large a head', async () => {
    await using fixture = await startGateway();
    const { socketPath } = fixture.addApp('app');
    const head = `HTTP/1.1 101 Switching Protocols\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`;
    const server = createSocketServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(head)));
    server.listen(socketPath);
    const answer = await askRaw({ port: fixture.port, host }, upgradeTo('/'));
    server.close();
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toContain('FN_BAD_RESPONSE');
  });
});
