import { describe, expect, test } from 'vitest';
import { createGateway } from '../../../router/gateway/gateway.ts';
import { startGateway } from './gateway-fixture.ts';
import { ask, askRaw } from './http-client.ts';

const host = '127.0.0.1';

describe('gateway', () => {
  test('leads a request to the app that its host names', async () => {
    await using fixture = await startGateway();
    await fixture.startApp('shop', { domains: ['Shop.Example.com', 'api.example.com'] });
    await fixture.startApp('api', {});
    const bodyFor = async (name: string): Promise<string> =>
      (await ask({ port: fixture.port, headers: { host: name } })).body;
    expect(await bodyFor('shop.localhost')).toBe('shop');
    expect(await bodyFor('SHOP.localhost:8080')).toBe('shop');
    expect(await bodyFor('api.anything.test')).toBe('api');
    expect(await bodyFor('shop.example.com')).toBe('shop');
    // A configured domain says more than the first label.
    expect(await bodyFor('api.example.com.')).toBe('shop');
  });

  test.each(['other.localhost', 'shop', 'localhost', '127.0.0.1', '[::1]:80', 'x.shop.localhost'])(
    'answers 404 when several apps exist and none is named by %s',
    async (name) => {
      await using fixture = await startGateway();
      await fixture.startApp('shop', {});
      await fixture.startApp('api', {});
      const answer = await ask({ port: fixture.port, headers: { host: name } });
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([404, 'FN_APP_NOT_FOUND']);
    },
  );

  test('leads any host to the app when it is the only one', async () => {
    await using fixture = await startGateway();
    await fixture.startApp('shop', {});
    for (const name of ['other.localhost', '127.0.0.1:3000', '[::1]']) {
      expect((await ask({ port: fixture.port, headers: { host: name } })).body).toBe('shop');
    }
  });

  test('answers 404 when the app has no release yet, or there is no app', async () => {
    await using fixture = await startGateway();
    const none = await ask({ port: fixture.port });
    expect([none.status, JSON.parse(none.body).code]).toEqual([404, 'FN_APP_NOT_FOUND']);
    fixture.addApp('new', { live: false });
    const answer = await ask({ port: fixture.port });
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([404, 'FN_NO_RELEASE']);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.headers['x-request-id']).toBe(JSON.parse(answer.body).requestId);
  });

  test('tells its health on any host, without asking an app', async () => {
    await using fixture = await startGateway();
    fixture.addApp('a');
    fixture.addApp('b', { live: false });
    const path = '/.well-known/fnrun/health';
    const answer = await ask({ port: fixture.port, path });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { status: 'ok', apps: 2, version: '1.2.3' }]);
    expect(answer.headers['x-request-id']).toMatch(/^\w{32}$/);
    const head = await ask({ port: fixture.port, path, method: 'HEAD' });
    expect([head.status, head.body]).toEqual([200, '']);
    expect((await ask({ port: fixture.port, path, method: 'POST' })).status).toBe(404);
  });

  test.each([
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: a.localhost\r\nHost: b.localhost\r\n\r\n'],
    ['two equal Hosts', 'GET / HTTP/1.1\r\nHost: a.localhost\r\nhost: a.localhost\r\n\r\n'],
    ['a Host with a path and a user', 'GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n'],
    ['a Host with a space', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['a Host with a port beyond 65535', 'GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n'],
    ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['no Host in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'],
    ['an absolute target against the Host', 'GET http://b.localhost/ HTTP/1.1\r\nHost: a.localhost\r\n\r\n'],
    ['an absolute target with a user', 'GET http://x@a.localhost/ HTTP/1.1\r\nHost: a.localhost\r\n\r\n'],
    ['a fragment', 'GET /a#b HTTP/1.1\r\nHost: a.localhost\r\n\r\n'],
    ['a dot segment', 'GET /a/../b HTTP/1.1\r\nHost: a.localhost\r\n\r\n'],
    ['an encoded dot segment', 'GET /a/%2e%2E/b HTTP/1.1\r\nHost: a.localhost\r\n\r\n'],
    ['a NUL', 'GET /a%00 HTTP/1.1\r\nHost: a.localhost\r\n\r\n'],
    ['bytes that are no UTF-8', 'GET /%ff HTTP/1.1\r\nHost: a.localhost\r\n\r\n'],
    ['raw bytes above ASCII', 'GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a.localhost\r\n\r\n'],
    ['a backslash', 'GET /a\\..\\b HTTP/1.1\r\nHost: a.localhost\r\n\r\n'],
    ['an overlong target', `GET /${'a'.repeat(9_000)} HTTP/1.1\r\nHost: a.localhost\r\n\r\n`],
    ['* without OPTIONS', 'GET * HTTP/1.1\r\nHost: a.localhost\r\n\r\n'],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n'],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n'],
    ['a control character in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n'],
    ['no HTTP at all', 'hello\r\n\r\n'],
  ])('refuses %s with 400 and ends the connection, the app untouched', async (_name, text) => {
    await using fixture = await startGateway();
    let reached = 0;
    const handler = (_req: unknown, res: { end(): void }): void => {
      reached += 1;
      res.end();
    };
    await fixture.startApp('a', { handler });
    const answer = await askRaw({ port: fixture.port, host }, text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"FN_BAD_REQUEST"');
    expect(answer).toContain(`"requestId":"${/\r\nx-request-id: (\S+)\r\n/.exec(answer)?.[1]}"`);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(reached).toBe(0);
  });

  test('refuses a head that is too large with 431', async () => {
    await using fixture = await startGateway();
    const answer = await askRaw(
      { port: fixture.port, host },
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('"status":431,"code":"FN_BAD_REQUEST"');
  });

  test('answers OPTIONS * itself', async () => {
    await using fixture = await startGateway();
    const answer = await askRaw(
      { port: fixture.port, host },
      'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 204 /);
  });

  test.each([
    '//',
    '//evil.example/x',
    '/a//b',
    '/a%2Fb',
    '/a/..;/b',
    '/a|b"c{}',
    '/a?',
    '/?x=1?y&z=%zz',
    '/a/',
    '/%E2%82%AC',
  ])('passes the target %s on as it is', async (path) => {
    await using fixture = await startGateway();
    await fixture.startApp('a', { handler: (req, res) => res.end(req.url) });
    const request = `GET ${path} HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n`;
    const answer = await askRaw({ port: fixture.port, host }, request);
    expect(answer.split('\r\n\r\n')[1]).toContain(path);
  });

  test('passes an absolute target on in origin form when it names the Host', async () => {
    await using fixture = await startGateway();
    await fixture.startApp('a', { handler: (req, res) => res.end(`[${req.url}]`) });
    const request = 'GET http://A.localhost:80/x?y HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n';
    expect(await askRaw({ port: fixture.port, host }, request)).toContain('[/x?y]');
  });

  test('says that an address is none of this machine when it is not', async () => {
    const other = createGateway({ apps: () => [], version: '0' });
    // RFC 5737: TEST-NET-1 is assigned to nobody.
    await expect(other.listen({ host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
      code: 'FN_USAGE',
      message: 'Cannot listen on 192.0.2.1:0: it is no address of this machine',
    });
  });

  test('says that the port is taken when it is', async () => {
    await using fixture = await startGateway();
    const second = createGateway({ apps: () => [], version: '1' });
    await expect(second.listen({ host, port: fixture.port })).rejects.toMatchObject({ code: 'FN_PORT_IN_USE' });
    await second.close();
  });
});
