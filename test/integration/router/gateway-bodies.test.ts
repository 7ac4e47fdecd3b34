import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { echo, gatewayTo, startGateway } from './gateway-fixture.ts';
import { ask, askRaw } from './http-client.ts';

const host = '127.0.0.1';

describe('gateway, bodies', () => {
  test.each([
    ['POST', '0'],
    ['PUT', '0'],
    ['PATCH', '0'],
    // RFC 9110, section 8.6: these may have none, and need not say so.
    ['DELETE', undefined],
    ['OPTIONS', undefined],
  ])('gives %s without a body no chunked one', async (method, length) => {
    await using fixture = await gatewayTo(echo);
    const text = `${method} / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n`;
    const answer = await askRaw({ port: fixture.port, host }, text);
    const { headers } = JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1));
    expect(headers['content-length']).toBe(length);
    expect(headers).not.toHaveProperty('transfer-encoding');
  });

  test.each(['GET', 'POST', 'DELETE'])(
    'keeps the body of %s when it is chunked, and what follows it apart',
    async (method) => {
      const urls: string[] = [];
      await using fixture = await gatewayTo((req, res) => {
        urls.push(`${req.method} ${req.url}`);
        echo(req, res);
      });
      const hidden = 'GET /hidden HTTP/1.1\r\n';
      const text =
        `${method} /first HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n` +
        'GET /second HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n';
      const answer = await askRaw({ port: fixture.port, host }, text);
      expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
      expect(answer).toContain(JSON.stringify(hidden));
      expect(urls).toEqual([`${method} /first`, 'GET /second']);
    },
  );

  test('streams 32 MB there and back whole', async () => {
    await using fixture = await gatewayTo((req, res) => void pipeline(req, res));
    const sent = createHash('sha256');
    const received = createHash('sha256');
    const req = request({ port: fixture.port, method: 'POST' });
    const answered = once(req, 'response') as Promise<[IncomingMessage]>;
    const upload = pipeline(async function* () {
      for (let i = 0; i < 512; i += 1) {
        const chunk = Buffer.alloc(64 * 1024, i);
        sent.update(chunk);
        yield chunk;
      }
    }, req);
    const [res] = await answered;
    for await (const chunk of res) received.update(chunk as Buffer);
    await upload;
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  });

  test('holds the upstream back when the client does not read', async () => {
    let written = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const stalled = Promise.withResolvers<void>();
    await using fixture = await gatewayTo((_req, res) => {
      const write = (): void => {
        while (written < 256 * 1024 * 1024) {
          written += chunk.length;
          if (!res.write(chunk)) {
            stalled.resolve();
            return;
          }
        }
      };
      res.on('drain', write);
      write();
    });
    const req = request({ port: fixture.port }).end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    await stalled.promise;
    let before = -1;
    await expect.poll(() => before === (before = written), { interval: 100 }).toBe(true);
    expect(written).toBeLessThan(32 * 1024 * 1024);
    res.destroy();
  });

  test('sends the head and each event of a stream at once', async () => {
    const responses: ServerResponse[] = [];
    await using fixture = await gatewayTo((_req, res) => {
      responses.push(res.writeHead(200, { 'content-type': 'text/event-stream' }));
      res.flushHeaders();
    });
    const req = request({ port: fixture.port }).end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    expect(res.headers['content-type']).toBe('text/event-stream');
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      responses[0]?.write(event);
      expect(String((await once(res, 'data'))[0])).toBe(event);
    }
    responses[0]?.end();
    await once(res, 'end');
  });

  test('answers Expect: 100-continue, and passes 103 on', async () => {
    await using fixture = await gatewayTo((req, res) => {
      res.writeEarlyHints({ link: '</a.css>; rel=preload; as=style' }, () => echo(req, res));
    });
    const req = request({
      port: fixture.port,
      method: 'POST',
      headers: { expect: '100-continue', 'content-length': 2 },
    });
    req.flushHeaders();
    await once(req, 'continue');
    const hinted = once(req, 'information');
    const answered = once(req, 'response') as Promise<[IncomingMessage]>;
    req.end('hi');
    expect((await hinted)[0]).toMatchObject({ statusCode: 103 });
    const [res] = await answered;
    expect(JSON.parse(String((await once(res, 'data'))[0]))).toMatchObject({ body: 'hi' });
  });

  test('uses few upstream connections for many requests', async () => {
    await using fixture = await startGateway();
    const server = await fixture.startApp('app', {});
    let connections = 0;
    server.on('connection', () => (connections += 1));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 20; i += 1) expect((await ask({ port: fixture.port, agent })).status).toBe(200);
    agent.destroy();
    expect(connections).toBe(1);
  });
});
