import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { sendProblem } from '../../../router/problem.ts';
import { ask } from './http-client.ts';

const open: { close(): void }[] = [];

afterEach(() => {
  for (const thing of open.splice(0)) thing.close();
});

async function serverWith(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    close() {
      server.closeAllConnections();
      server.close();
    },
  });
  return (server.address() as AddressInfo).port;
}

describe('sendProblem', () => {
  test('sends a problem document with its headers', async () => {
    const port = await serverWith((_req, res) => {
      sendProblem(res, 'FN_METHOD_NOT_ALLOWED', {
        detail: 'Not so',
        requestId: 'r-1',
        headers: { allow: 'GET, HEAD' },
      });
    });
    const answer = await ask({ port });
    expect(answer.status).toBe(405);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'content-length': String(Buffer.byteLength(answer.body)),
      'cache-control': 'no-store',
      'x-request-id': 'r-1',
      allow: 'GET, HEAD',
    });
    expect(JSON.parse(answer.body)).toEqual({
      type: expect.stringContaining('FN_METHOD_NOT_ALLOWED'),
      title: expect.any(String),
      status: 405,
      code: 'FN_METHOD_NOT_ALLOWED',
      detail: 'Not so',
      requestId: 'r-1',
    });
  });

  test('says when to come back with 503', async () => {
    const port = await serverWith((_req, res) => sendProblem(res, 'FN_OVERLOADED'));
    expect((await ask({ port })).headers['retry-after']).toBe('1');
  });

  test('leaves the body out for HEAD', async () => {
    const port = await serverWith((_req, res) => sendProblem(res, 'FN_NOT_FOUND'));
    const answer = await ask({ port, method: 'HEAD' });
    expect([answer.status, answer.body]).toEqual([404, '']);
    expect(Number(answer.headers['content-length'])).toBeGreaterThan(0);
  });

  test('cuts the connection when the head has gone out', async () => {
    const port = await serverWith((_req, res) => {
      res.write('half', () => sendProblem(res, 'FN_HANDLER_FAILED'));
    });
    await expect(ask({ port })).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test.each([
    ['GET', undefined],
    ['POST', 'a short body'],
  ])('keeps the connection after a %s', async (method, body) => {
    const port = await serverWith((_req, res) => sendProblem(res, 'FN_NOT_FOUND'));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    open.push({ close: () => agent.destroy() });
    for (let i = 0; i < 3; i += 1) {
      const req = request({ port, agent, method }).end(body);
      const [res] = (await once(req, 'response')) as [IncomingMessage];
      res.resume();
      await once(res, 'end');
      expect([res.statusCode, req.reusedSocket]).toEqual([404, i > 0]);
    }
  });

  test('answers before a long upload has ended, and then ends the connection', async () => {
    const port = await serverWith((_req, res) => sendProblem(res, 'FN_BODY_TOO_LARGE'));
    const req = request({ port, method: 'POST', headers: { 'content-length': 50_000_000 } });
    req.write('x');
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    expect([res.statusCode, res.headers.connection]).toEqual([413, 'close']);
    req.on('error', () => {});
    res.resume();
    await new Promise((resolve) => req.once('close', resolve));
  });
});
