import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { healthPath } from '../../../router/gateway/gateway.ts';
import { startGateway } from './gateway-fixture.ts';
import { ask } from './http-client.ts';

describe('gateway, close', () => {
  test('lets a request under way finish, and takes no new connection', async () => {
    await using fixture = await startGateway({ drainMs: 60_000 });
    const reached = Promise.withResolvers<ServerResponse>();
    await fixture.startApp('app', { handler: (_req, res) => reached.resolve(res) });
    const agent = new Agent({ keepAlive: true });
    const req = request({ port: fixture.port, agent }).end();
    const upstream = await reached.promise;
    const closed = fixture.gateway.close();
    await expect(ask({ port: fixture.port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    upstream.end('finished');
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    expect(res.headers.connection).toBe('close');
    expect(String((await once(res, 'data'))[0])).toBe('finished');
    await closed;
    agent.destroy();
  });

  test('ends the connection after a stream that began before', async () => {
    await using fixture = await startGateway({ drainMs: 60_000 });
    const reached = Promise.withResolvers<ServerResponse>();
    await fixture.startApp('app', { handler: (_req, res) => (res.flushHeaders(), reached.resolve(res)) });
    const agent = new Agent({ keepAlive: true });
    const req = request({ port: fixture.port, agent }).end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    const ended = once(res.resume(), 'end');
    const closed = fixture.gateway.close();
    (await reached.promise).end('last');
    await Promise.all([closed, ended]);
    expect(res.complete).toBe(true);
    agent.destroy();
  });

  test('ends idle connections at once, and lets WebSockets go on until their app ends them', async () => {
    await using fixture = await startGateway({ drainMs: 60_000, closeMs: 60_000 });
    const sockets = new WebSocketServer({ server: await fixture.startApp('app', {}) });
    const accepted = once(sockets, 'connection') as Promise<[WebSocket]>;
    const socket = new WebSocket(`ws://127.0.0.1:${fixture.port}`);
    const [upstream] = await accepted;
    await once(socket, 'open');
    const idle = connect(fixture.port, '127.0.0.1');
    idle.write('GET / HTTP/1.1\r\nHost: app\r\n\r\n');
    await once(idle, 'data');
    const idleEnded = once(idle, 'close');
    idle.resume();
    await fixture.gateway.drain();
    await idleEnded;
    upstream.send('still here');
    expect(String((await once(socket, 'message'))[0])).toBe('still here');
    const closed = once(socket, 'close');
    const gatewayClosed = fixture.gateway.close();
    upstream.close(1001, 'bye');
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, String(reason)]).toEqual([1001, 'bye']);
    await gatewayClosed;
    sockets.close();
  });

  test('opens no WebSocket any more', async () => {
    await using fixture = await startGateway({ drainMs: 60_000 });
    await fixture.startApp('app', {});
    const client = connect(fixture.port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
    // A connection that is idle would end; when this is answered, the gateway has read the first half of the other.
    await ask({ port: fixture.port, path: healthPath });
    const drained = fixture.gateway.drain();
    client.write('Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 503 [^]*"code":"FN_APP_UNAVAILABLE"/);
    await drained;
    client.destroy();
  });

  test('cuts a WebSocket that its app has not ended when the time for it is over', async () => {
    await using fixture = await startGateway({ drainMs: 60_000, closeMs: 50 });
    const sockets = new WebSocketServer({ server: await fixture.startApp('app', {}) });
    const socket = new WebSocket(`ws://127.0.0.1:${fixture.port}`);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await fixture.gateway.close();
    expect((await closed)[0]).toBe(1006);
    sockets.close();
  });

  test('cuts what is still under way when the drain time is over', async () => {
    await using fixture = await startGateway({ drainMs: 50 });
    const reached = Promise.withResolvers<void>();
    await fixture.startApp('app', { handler: () => reached.resolve() });
    const outcome = ask({ port: fixture.port }).catch((error: NodeJS.ErrnoException) => error.code);
    await reached.promise;
    await fixture.gateway.close();
    expect(await outcome).toBe('ECONNRESET');
    await fixture.gateway.close();
  });
});
