import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
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

  test('ends idle connections and WebSockets at once', async () => {
    await using fixture = await startGateway({ drainMs: 60_000 });
    const sockets = new WebSocketServer({ server: await fixture.startApp('app', {}) });
    const socket = new WebSocket(`ws://127.0.0.1:${fixture.port}`);
    await once(socket, 'open');
    const idle = connect(fixture.port, '127.0.0.1');
    idle.write('GET / HTTP/1.1\r\nHost: app\r\n\r\n');
    await once(idle, 'data');
    const ended = Promise.all([once(socket, 'close'), once(idle, 'close')]);
    idle.resume();
    await fixture.gateway.close();
    await ended;
    expect(socket.readyState).toBe(WebSocket.CLOSED);
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
