import { Agent } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { echo, gatewayTo, startGateway } from './gateway-fixture.ts';
import { ask, askRaw } from './http-client.ts';

const host = '127.0.0.1';

describe('gateway, headers', () => {
  test('says itself who the client is, whatever the client says', async () => {
    await using fixture = await gatewayTo(echo);
    const spoofed = {
      host: 'app.localhost',
      'x-forwarded-for': '6.6.6.6',
      'X-Forwarded-Proto': 'https',
      'x-forwarded-host': 'evil',
      'x-forwarded-port': '1',
      forwarded: 'for=6.6.6.6',
      'x-real-ip': '6.6.6.6',
      'x-fnrun-secret': '1',
      'X-FNRUN-App': 'other',
    };
    const { headers } = JSON.parse((await ask({ port: fixture.port, headers: spoofed })).body);
    expect(headers).toMatchObject({
      host: 'app.localhost',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'app.localhost',
    });
    expect(Object.keys(headers).filter((name) => /fnrun|real-ip|^forwarded|port/.test(name))).toEqual([]);
  });

  test('drops the headers about one connection, and those that Connection names', async () => {
    await using fixture = await gatewayTo(echo);
    const text =
      'GET / HTTP/1.1\r\nHost: app\r\nConnection: close, X-Private, x-request-id, host\r\nX-Private: 1\r\nKeep-Alive: 5\r\n' +
      'TE: trailers\r\nTrailer: x\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: x\r\nUpgrade: h2c\r\nX-Public: 2\r\n\r\n';
    const answer = await askRaw({ port: fixture.port, host }, text);
    const { headers } = JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1));
    expect(Object.keys(headers).sort()).toEqual(
      [
        'connection',
        'host',
        'x-forwarded-for',
        'x-forwarded-host',
        'x-forwarded-proto',
        'x-public',
        'x-request-id',
      ].sort(),
    );
    expect(headers.connection).toBe('keep-alive');
    expect(answer).toMatch(/connection: close/i);
  });

  test('keeps the spelling and the repeats of the other headers', async () => {
    await using fixture = await gatewayTo(echo);
    const headers = { 'X-CamelCase': 'a', 'x-many': ['1', '2'], Cookie: ['a=1', 'b=2'] };
    const { rawHeaders, headers: seen } = JSON.parse((await ask({ port: fixture.port, headers })).body);
    expect(rawHeaders).toContain('X-CamelCase');
    expect(rawHeaders.filter((name: string) => name === 'x-many')).toHaveLength(2);
    expect(seen.cookie).toBe('a=1; b=2');
  });

  test('passes a well-formed x-request-id on and replaces any other', async () => {
    await using fixture = await gatewayTo(echo);
    const idFor = async (id: string): Promise<string> =>
      JSON.parse((await ask({ port: fixture.port, headers: { 'x-request-id': id } })).body).headers['x-request-id'];
    expect(await idFor('abc-1.2_3')).toBe('abc-1.2_3');
    expect(await idFor('a b')).toMatch(/^[0-9a-f]{32}$/);
    expect(await idFor('x'.repeat(129))).toMatch(/^[0-9a-f]{32}$/);
  });

  test('passes status, repeated cookies and headers of the response on, but not those about its connection', async () => {
    await using fixture = await gatewayTo((_req, res) => {
      res.setHeader('set-cookie', ['a=1', 'b=2']);
      res.setHeader('connection', 'keep-alive, x-hop');
      res.setHeader('x-hop', '1');
      res.writeHead(418, 'Teapot', { 'x-kept': 'yes', etag: '"1"' }).end('short');
    });
    const answer = await ask({ port: fixture.port });
    expect(answer.status).toBe(418);
    expect(answer.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-kept': 'yes', etag: '"1"' });
    expect(answer.headers).not.toHaveProperty('x-hop');
    expect(answer.body).toBe('short');
  });

  test.each([
    ['HEAD', 200, '5'],
    ['GET', 204, undefined],
    ['GET', 304, undefined],
  ])('keeps the connection after %s with %i, which has no body', async (method, status, length) => {
    await using fixture = await gatewayTo((_req, res) => {
      if (status === 200) res.setHeader('content-length', 5);
      res.writeHead(status, { etag: '"1"' }).end();
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 2; i += 1) {
      const answer = await ask({ port: fixture.port, method, agent });
      expect([answer.status, answer.headers['content-length'], answer.body]).toEqual([status, length, '']);
      expect(answer.headers).toMatchObject({ etag: '"1"', connection: 'keep-alive' });
    }
    agent.destroy();
  });

  test('ends a response without length with the connection for HTTP/1.0', async () => {
    await using fixture = await gatewayTo((_req, res) => {
      res.write('a');
      res.end('b');
    });
    const text = 'GET / HTTP/1.0\r\nHost: app\r\nConnection: keep-alive\r\n\r\n';
    const answer = await askRaw({ port: fixture.port, host }, text);
    expect(answer).toMatch(/\r\n\r\nab$/);
    expect(answer).not.toMatch(/chunked/i);
  });

  test.each([
    ['an \xe9', 'Caf\xe9', ' OK'],
    ['UTF-8', 'Caf\xc3\xa9', ' OK'],
    ['a plain phrase', 'Fine Indeed', ' Fine Indeed'],
    ['none', '', ' OK'],
  ])(
    'answers with the status when the reason phrase has %s, and with the phrase when it is ASCII',
    async (_, phrase, said) => {
      await using fixture = await startGateway();
      const { socketPath } = fixture.addApp('app');
      const bytes = Buffer.from(
        `HTTP/1.1 200 ${phrase}\r\nconnection: x-one\r\nconnection: close\r\nx-one: 1\r\ncontent-length: 2\r\n\r\nok`,
        'latin1',
      );
      const server = createServer((socket) => socket.once('data', () => socket.end(bytes))).listen(socketPath);
      const answer = await askRaw(
        { port: fixture.port, host },
        'GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n',
      );
      server.close();
      expect(answer.split('\r\n')[0]).toBe(`HTTP/1.1 200${said}`);
      expect(answer).toMatch(/\r\n\r\nok$/);
      expect(answer).not.toContain('x-one');
    },
  );
});
