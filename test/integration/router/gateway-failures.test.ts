import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, createServer as createSocketServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { gatewayLimits } from '../../../runtime/contract/limits.ts';
import { sendProblem } from '../../../router/problem.ts';
import { gatewayTo, startGateway } from './gateway-fixture.ts';
import { ask } from './http-client.ts';

describe('gateway, failures', () => {
  const codeOf = (body: string): string => JSON.parse(body).code;

  test('answers 503 with Retry-After when nobody listens on the socket', async () => {
    await using fixture = await startGateway();
    fixture.addApp('app');
    const answer = await ask({ port: fixture.port });
    expect([answer.status, codeOf(answer.body), answer.headers['retry-after']]).toEqual([
      503,
      'FN_APP_UNAVAILABLE',
      '1',
    ]);
  });

  test('answers 502 when the upstream ends without an answer', async () => {
    await using fixture = await gatewayTo((req) => req.socket.destroy());
    const answer = await ask({ port: fixture.port, method: 'POST' }, 'x');
    expect([answer.status, codeOf(answer.body)]).toEqual([502, 'FN_APP_UNREACHABLE']);
  });

  test('answers 502 when the upstream speaks no HTTP', async () => {
    await using fixture = await startGateway();
    const { socketPath } = fixture.addApp('app');
    const server = createSocketServer((socket) => socket.end('hello\r\n\r\n')).listen(socketPath);
    const answer = await ask({ port: fixture.port });
    server.close();
    expect([answer.status, codeOf(answer.body)]).toEqual([502, 'FN_APP_UNREACHABLE']);
  });

  test('answers 502 and says why when the head of the response is larger than it takes', async () => {
    await using fixture = await gatewayTo((req, res) => {
      res.writeHead(200, { 'x-long': 'x'.repeat(req.url === '/large' ? 12_000 : 17_000) }).end();
    });
    expect((await ask({ port: fixture.port, path: '/large' })).status).toBe(200);
    const answer = await ask({ port: fixture.port });
    expect([answer.status, codeOf(answer.body)]).toEqual([502, 'FN_BAD_RESPONSE']);
    expect(answer.body).toContain('more than 16384 bytes');
  });

  test('answers 504 when an app says nothing for too long, and cuts a response that stops', async () => {
    await using fixture = await startGateway({ idleMs: 200 });
    const handler = (req: IncomingMessage, res: ServerResponse): void => {
      if (req.url === '/begun') res.writeHead(200, { 'content-length': 10 }).write('12345');
    };
    await fixture.startApp('app', { handler });
    const answer = await ask({ port: fixture.port });
    expect([answer.status, codeOf(answer.body)]).toEqual([504, 'FN_TIMEOUT']);
    await expect(ask({ port: fixture.port, path: '/begun' })).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('ends a response of which its client takes nothing for too long', async () => {
    await using fixture = await startGateway({ idleMs: 200 });
    const reached = Promise.withResolvers<ServerResponse>();
    await fixture.startApp('app', {
      handler: (_req, res) => {
        reached.resolve(res);
        const fill = (error?: Error | null): void => {
          if (!error) res.write(Buffer.alloc(64 * 1024), fill);
        };
        fill();
      },
    });
    const req = request({ port: fixture.port }).end();
    req.on('error', () => {});
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    res.on('error', () => {});
    const upstream = await reached.promise;
    await once(upstream, 'close');
    expect(upstream.writableFinished).toBe(false);
    req.destroy();
  });

  test('cuts the response when the upstream dies in the middle of it', async () => {
    await using fixture = await gatewayTo((_req, res) => {
      res.writeHead(200, { 'content-length': 10 });
      res.write('12345', () => res.destroy());
    });
    await expect(ask({ port: fixture.port })).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('asks once more when a kept connection dies under a GET, never for a POST', async () => {
    let seen = 0;
    await using fixture = await gatewayTo((req, res) => {
      seen += 1;
      // The second request on a connection meets its end.
      if (seen % 2 === 0) req.socket.destroy();
      else res.end('ok');
    });
    expect((await ask({ port: fixture.port })).status).toBe(200);
    expect((await ask({ port: fixture.port })).body).toBe('ok');
    expect(seen).toBe(3);
    expect((await ask({ port: fixture.port, method: 'POST' })).status).toBe(502);
    expect(seen).toBe(4);
  });

  test('asks once more on a new connection when all kept ones are dead', async () => {
    const kept = new WeakSet<object>();
    const waiting: ServerResponse[] = [];
    let seen = 0;
    await using fixture = await gatewayTo((req, res) => {
      seen += 1;
      if (kept.has(req.socket)) req.socket.destroy();
      else if (req.url === '/again') res.end('again');
      // Three requests at once, so that three connections are kept.
      else if (waiting.push(res) === 3) for (const one of waiting) one.end();
      kept.add(req.socket);
    });
    await Promise.all([1, 2, 3].map(() => ask({ port: fixture.port })));
    const answer = await ask({ port: fixture.port, path: '/again' });
    expect([answer.status, answer.body, seen]).toEqual([200, 'again', 5]);
  });

  test('answers 503 when an app has as many requests under way as it may, and serves it again after', async () => {
    await using fixture = await startGateway({ inFlightPerApp: 2 });
    const waiting: ServerResponse[] = [];
    const full = Promise.withResolvers<void>();
    const handler = (_req: unknown, res: ServerResponse): void => {
      if (waiting.push(res) === 2) full.resolve();
      if (waiting.length > 2) res.end('again');
    };
    await fixture.startApp('busy', { handler });
    await fixture.startApp('other', {});
    const headers = { host: 'busy.localhost' };
    const first = [ask({ port: fixture.port, headers }), ask({ port: fixture.port, headers })];
    await full.promise;
    const refused = await ask({ port: fixture.port, headers });
    expect([refused.status, codeOf(refused.body), refused.headers['retry-after']]).toEqual([503, 'FN_OVERLOADED', '1']);
    expect((await ask({ port: fixture.port, headers: { host: 'other.localhost' } })).status).toBe(200);
    for (const res of waiting) res.end();
    await Promise.all(first);
    expect((await ask({ port: fixture.port, headers })).body).toBe('again');
  });

  test('ends the upstream request when the client leaves', async () => {
    const reached = Promise.withResolvers<ServerResponse>();
    await using fixture = await gatewayTo((_req, res) => reached.resolve(res));
    const req = request({ port: fixture.port }).end();
    req.on('error', () => {});
    const upstream = await reached.promise;
    req.destroy();
    await once(upstream, 'close');
    expect(upstream.writableFinished).toBe(false);
  });

  test('goes on when clients leave in the middle of an upload', async () => {
    await using fixture = await gatewayTo((req, res) => {
      req.on('error', () => {});
      if (req.method === 'GET') res.end('alive');
      else req.resume();
    });
    for (let i = 0; i < 5; i += 1) {
      const req = request({ port: fixture.port, method: 'POST', headers: { 'content-length': 1_000_000 } });
      req.on('error', () => {});
      await new Promise((resolve) => req.write('x'.repeat(1_000), resolve));
      req.destroy();
      await new Promise((resolve) => req.once('close', resolve));
    }
    expect((await ask({ port: fixture.port })).body).toBe('alive');
  });

  test('passes an early answer on when the upstream refuses a body it has not read', async () => {
    await using fixture = await gatewayTo((_req, res) => sendProblem(res, 'FN_BODY_TOO_LARGE'));
    for (const bytes of [256 * 1024, 32 * 1024 * 1024]) {
      const answer = await ask({ port: fixture.port, method: 'POST' }, Buffer.alloc(bytes));
      expect([answer.status, codeOf(answer.body)]).toEqual([413, 'FN_BODY_TOO_LARGE']);
    }
  });

  test('answers 503 to an upload when nobody listens on the socket', async () => {
    await using fixture = await startGateway();
    fixture.addApp('app');
    const answer = await ask({ port: fixture.port, method: 'POST' }, Buffer.alloc(8 * 1024 * 1024));
    expect([answer.status, answer.headers.connection]).toEqual([503, 'close']);
  });

  test.each([
    ['leaves', ''],
    ['stays', ''],
    ['goes on with no chunk', 'zz\r\n'],
  ])('outlives an upload to an app that is not there, whose client %s', async (what, rest) => {
    await using fixture = await startGateway();
    fixture.addApp('app');
    const socket = connect({ port: fixture.port, host: '127.0.0.1' });
    socket.on('error', () => {});
    const framing =
      rest === '' ? 'Content-Length: 1000\r\n\r\nhalf' : 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n';
    socket.write(`POST / HTTP/1.1\r\nHost: app\r\n${framing}`);
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 503/);
    if (what === 'leaves') socket.destroy();
    else socket.write(rest);
    // One that stays is left in the end.
    if (!socket.closed) await once(socket.resume(), 'close');
    expect((await ask({ port: fixture.port })).status).toBe(503);
  });

  test('answers what comes right behind the rest of an upload that was answered before', async () => {
    await using fixture = await gatewayTo((req, res) => res.end(`${req.url} answered`));
    const socket = connect({ port: fixture.port, host: '127.0.0.1' });
    socket.on('error', () => {});
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => (received += text));
    socket.write('POST /early HTTP/1.1\r\nHost: app\r\nContent-Length: 20\r\n\r\n0123456789');
    await expect.poll(() => received).toContain('/early answered');
    socket.write('0123456789GET /next HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n');
    await expect.poll(() => received).toContain('/next answered');
    socket.destroy();
  });

  test('keeps as many connections to an app as it may, when more have become free', async () => {
    const many = gatewayLimits.freeSocketsPerApp + 44;
    await using fixture = await startGateway({ inFlightPerApp: many });
    const waiting: ServerResponse[] = [];
    const handler = (_req: unknown, res: ServerResponse): void => {
      if (waiting.push(res) === many) for (const one of waiting) one.end();
    };
    const server = await fixture.startApp('app', { handler });
    const open = () => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    await Promise.all(Array.from({ length: many }, () => ask({ port: fixture.port })));
    await expect.poll(open).toBe(gatewayLimits.freeSocketsPerApp);
  });
});
