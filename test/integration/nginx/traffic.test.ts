import { Agent } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { once } from 'node:events';
import { unlink } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { NginxFacts, SiteFacts } from '../../../deploy/nginx/facts.ts';
import { eventually } from '../../support/deadline.ts';
import { fetchFrom, openFrom, type HttpRequest, type HttpResponse } from '../../support/http.ts';
import { exchangeRaw, openRaw } from '../../support/raw-http.ts';
import { nginxFacts, selfSigned, siteOf, startRendered, type RenderedNginx } from '../../support/nginx.ts';
import { makeTempDir } from '../../support/temp-dir.ts';
import { startUpstream, type Upstream } from './upstream.ts';

// One rendered configuration, and behind it a server that tells what came. What fnrun's own apps do behind it is in
// apps.test.ts.

interface Site extends AsyncDisposable {
  nginx: RenderedNginx;
  upstream: Upstream;
  dir: string;
  get(request: HttpRequest, host?: string): Promise<HttpResponse>;
}

async function startSite(
  answer: Parameters<typeof startUpstream>[2],
  { site = {}, facts = {} }: { site?: Partial<SiteFacts>; facts?: Partial<NginxFacts> } = {},
): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const { path: dir } = stack.use(await makeTempDir('fn-'));
  const upstream = stack.use(await startUpstream(dir, 'shop', answer));
  const nginx = stack.use(await startRendered(await nginxFacts(facts), [siteOf('shop', dir, site)]));
  const all = stack.move();
  return {
    nginx,
    upstream,
    dir,
    get: ({ headers = [], ...rest }, host = 'shop.example.com') =>
      fetchFrom(nginx.http, { ...rest, headers: [['Host', host], ...headers] }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

test('nginx keeps its connections to an app open, whatever the client does with its own', async () => {
  await using site = await startSite((_req, res) => res.end('hello'));
  for (let i = 0; i < 40; i++) expect((await site.get({ path: '/' })).text).toBe('hello');
  // Each process of nginx has one.
  expect(site.upstream.connections).toBeLessThanOrEqual(availableParallelism());
  expect(site.upstream.requests).toHaveLength(40);
});

test('a target is passed on as it came', async () => {
  await using site = await startSite((req, res) => res.end(req.url), { site: { hasPublic: true } });
  for (const path of ['/a%2fb', '/a//b', '/a/%2e%2e/x', '/a/?q=%20x', '/%C3%A9', '/a;b=c', '/.env'])
    expect((await site.get({ path })).text).toBe(path);
});

test('what a client says about itself is overwritten or dropped', async () => {
  await using site = await startSite((req, res) => res.end(JSON.stringify(req.headers)));
  const lies: [string, string][] = [
    ['X-Forwarded-For', '6.6.6.6'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'evil.example'],
    ['X-Real-IP', '6.6.6.6'],
    ['Forwarded', 'for=6.6.6.6'],
    ['X-Fnrun-Connection', 'cookie'],
    ['X-Request-Id', 'known-id.1'],
    ['Connection', 'close'],
  ];
  const seen = (await site.get({ path: '/', headers: lies })).json() as Record<string, string>;
  expect(seen).toMatchObject({
    host: 'shop.example.com',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'shop.example.com',
    'x-request-id': 'known-id.1',
  });
  for (const name of ['x-real-ip', 'forwarded', 'x-fnrun-connection']) expect(Object.keys(seen)).not.toContain(name);
  const named = await site.get({ path: '/', headers: [['Connection', 'close, cookie']] });
  expect(named.json()).toMatchObject({ 'x-fnrun-connection': 'close, cookie' });
  const forged = (await site.get({ path: '/', headers: [['X-Request-Id', 'a b"}']] })).json() as Record<string, string>;
  expect(forged['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
});

test('a load balancer that is trusted tells the client, and nobody else does', async () => {
  const answer = startSite.bind(null, (req, res) => res.end(req.headers['x-forwarded-for']));
  await using trusting = await answer({ facts: { trustedProxies: ['127.0.0.0/8'] } });
  const headers: [string, string][] = [['X-Forwarded-For', '6.6.6.6, 203.0.113.9']];
  expect((await trusting.get({ path: '/', headers })).text).toBe('203.0.113.9');
});

test('two Hosts, and a target that names another one, are refused', async () => {
  await using site = await startSite((_req, res) => res.end('hello'));
  const { http } = site.nginx;
  const two = 'GET / HTTP/1.1\r\nHost: shop.example.com\r\nHost: other\r\nConnection: close\r\n\r\n';
  expect((await exchangeRaw(http, two)).status).toBe(400);
  const absolute = 'GET http://shop.example.com/ HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n';
  expect((await exchangeRaw(http, absolute)).status).toBe(400);
  const same = 'GET http://shop.example.com/ HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n';
  expect((await exchangeRaw(http, same)).status).toBe(200);
  expect(site.upstream.requests).toHaveLength(1);
});

test('a name that no app has gets no answer', async () => {
  await using site = await startSite((_req, res) => res.end('hello'));
  const said = await exchangeRaw(site.nginx.http, 'GET / HTTP/1.1\r\nHost: other.example.org\r\n\r\n');
  expect(said.text).toBe('');
  expect(site.upstream.requests).toHaveLength(0);
});

test('cookies of 8 KB come through, both ways', async () => {
  const cookie = `session=${'c'.repeat(8192)}`;
  await using site = await startSite((req, res) => {
    res.setHeader('set-cookie', req.headers.cookie ?? '');
    res.end();
  });
  const { status, headers } = await site.get({ path: '/', headers: [['Cookie', cookie]] });
  expect(status).toBe(200);
  expect(headers['set-cookie']).toBe(cookie);
});

test('an upload as large as the app takes comes whole; a larger one is refused before the app sees it', async () => {
  const megabytes = 50;
  await using site = await startSite(
    (req, res) => {
      let bytes = 0;
      req.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('end', () => res.end(String(bytes)));
    },
    { site: { maxBodyBytes: megabytes * 2 ** 20 } },
  );
  const body = Buffer.alloc(megabytes * 2 ** 20, 'x');
  const taken = await site.get({ method: 'POST', path: '/', body, deadlineMs: 30_000 });
  expect(taken.text).toBe(String(body.length));
  const head = `POST / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: ${body.length + 1}\r\n\r\n`;
  const refused = await exchangeRaw(site.nginx.http, head);
  expect(refused.status).toBe(413);
  expect(refused.text).toContain('application/problem+json');
  expect(refused.text).toContain('FN_BODY_TOO_LARGE');
  expect(site.upstream.requests).toHaveLength(1);
});

test('events come as they are sent when the app asks for it', async () => {
  let next = (): void => {};
  await using site = await startSite((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    res.write('data: one\n\n');
    next = () => res.end('data: two\n\n');
  });
  const headers = [
    ['Host', 'shop.example.com'],
    ['Accept-Encoding', 'gzip'],
  ] as const;
  const { message } = await openFrom(site.nginx.http, { path: '/', headers });
  message.setEncoding('utf8');
  const chunks = message[Symbol.asyncIterator]() as AsyncIterator<string>;
  // The second is sent only when the first has come.
  expect((await chunks.next()).value).toBe('data: one\n\n');
  next();
  expect((await chunks.next()).value).toBe('data: two\n\n');
});

test('a client that takes its response slowly does not hold the app', async () => {
  const bytes = 20 * 2 ** 20;
  let finished = false;
  await using site = await startSite((_req, res) => {
    res.on('finish', () => (finished = true));
    res.end(Buffer.alloc(bytes, 'x'));
  });
  const socket = await openRaw(site.nginx.http);
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n');
  // nginx has all of it, and the client nothing yet.
  await eventually(() => finished, { deadlineMs: 10_000 });
  let got = 0;
  socket.on('data', (chunk: Buffer) => (got += chunk.length));
  socket.resume();
  await once(socket, 'close');
  expect(got).toBeGreaterThan(bytes);
});

test('an app that is away is 503 with Retry-After, one that hangs up is 502', async () => {
  await using site = await startSite((req) => req.socket.destroy());
  const cut = await site.get({ method: 'POST', path: '/', body: 'x' });
  expect(cut.status).toBe(502);
  expect(cut.json()).toMatchObject({ code: 'FN_APP_UNREACHABLE', status: 502 });
  expect(cut.headers['retry-after']).toBeUndefined();
  await unlink(join(site.dir, 'run/shop.sock'));
  const away = await site.get({ path: '/x.json', headers: [['X-Request-Id', 'mine']] });
  expect(away.status).toBe(503);
  expect(away.headers).toMatchObject({
    'content-type': 'application/problem+json',
    'retry-after': '1',
    'cache-control': 'no-store',
    'x-request-id': 'mine',
  });
  expect(away.json()).toMatchObject({ code: 'FN_APP_UNAVAILABLE', status: 503, requestId: 'mine' });
});

test("an app's own error goes through as it is", async () => {
  await using site = await startSite((_req, res) => res.writeHead(502, { 'content-type': 'text/plain' }).end('mine'));
  const { status, text } = await site.get({ path: '/' });
  expect([status, text]).toEqual([502, 'mine']);
});

test('a kept connection that ends when it is used costs a GET nothing, and no POST is sent twice', async () => {
  // Answers one request on each connection and cuts the next, as an app host that is killed does.
  const served = new WeakSet<object>();
  await using site = await startSite((req, res) => {
    if (served.has(req.socket)) return void req.socket.destroy();
    served.add(req.socket);
    res.end('hello');
  });
  // One connection to nginx, and so one of its processes.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < 12; i++) expect((await site.get({ path: '/', agent })).status).toBe(200);
  const before = site.upstream.requests.length;
  const statuses: number[] = [];
  for (let i = 0; i < 12; i++) statuses.push((await site.get({ method: 'POST', path: '/', body: 'x', agent })).status);
  agent.destroy();
  expect(new Set(statuses)).toEqual(new Set([200, 502]));
  expect(site.upstream.requests.length - before).toBe(12);
});

test('text is compressed, and caches are told', async () => {
  await using site = await startSite((_req, res) => {
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify('x'.repeat(2_000)));
  });
  const { headers, body } = await site.get({ path: '/', headers: [['Accept-Encoding', 'gzip']] });
  expect(headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
  expect(body.length).toBeLessThan(200);
});

test('the access log is JSON, has the id of the request and no query string', async () => {
  await using site = await startSite((_req, res) => res.end('hello'));
  await site.get({
    path: '/a?token=secret',
    headers: [
      ['X-Request-Id', 'mine'],
      ['User-Agent', 'a "quoted" one'],
    ],
  });
  const [line] = await site.nginx.log(1);
  expect(line).toMatchObject({
    request_id: 'mine',
    app: 'shop',
    client: '127.0.0.1',
    path: '/a',
    status: 200,
    upstream_status: '200',
    user_agent: 'a "quoted" one',
    limit_requests: 'PASSED',
  });
  expect(Number(line!['upstream_seconds'])).toBeGreaterThanOrEqual(0);
  expect(JSON.stringify(line)).not.toContain('secret');
});

test('limits only note who would be refused, until they are enforced', async () => {
  const burst = async (site: Site): Promise<number[]> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const all = await Promise.all(Array.from({ length: 400 }, () => site.get({ path: '/', agent })));
    agent.destroy();
    return [...new Set(all.map(({ status }) => status))].sort();
  };
  await using noting = await startSite((_req, res) => res.end('hello'));
  expect(await burst(noting)).toEqual([200]);
  const lines = await noting.nginx.log(400);
  expect(lines.some((line) => line['limit_requests'] === 'REJECTED_DRY_RUN')).toBe(true);
  await using enforcing = await startSite((_req, res) => res.end('hello'), { facts: { enforceLimits: true } });
  expect(await burst(enforcing)).toEqual([200, 429]);
});

test('the rate limit of an app is enforced by itself, and its 429 is a problem document with Retry-After', async () => {
  const rateLimit = { requestsPerSecond: 2, burst: 1, connections: 10 };
  await using site = await startSite((_req, res) => res.end('hello'), { site: { rateLimit } });
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push(await site.get({ path: '/' }));
  expect(answers.map(({ status }) => status).slice(0, 2)).toEqual([200, 200]);
  const { status, headers, text } = answers.at(-1)!;
  expect([status, headers['content-type'], headers['retry-after']]).toEqual([429, 'application/problem+json', '1']);
  expect(JSON.parse(text)).toMatchObject({
    status: 429,
    code: 'FN_TOO_MANY_REQUESTS',
    requestId: headers['x-request-id'],
  });
});

test('a 429 of the app itself goes through as it is', async () => {
  await using site = await startSite((_req, res) => res.writeHead(429).end('mine'));
  expect(await site.get({ path: '/' })).toMatchObject({ status: 429, text: 'mine' });
});

test('over TLS: HTTP/2, HSTS, no old protocol, no handshake for a name that no app has, and HTTP leads there', async () => {
  await using temp = await makeTempDir('fn-');
  const tls = await selfSigned(temp.path);
  await using site = await startSite((req, res) => res.end(req.headers['x-forwarded-proto']), { facts: { tls } });
  const { port } = site.nginx.https;
  const options = { host: '127.0.0.1', port, servername: 'shop.example.com', rejectUnauthorized: false };
  const session = connectHttp2('https://shop.example.com', {
    createConnection: () => connectTls({ ...options, ALPNProtocols: ['h2'] }),
  });
  const stream = session.request({ ':path': '/' });
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
  session.destroy();
  expect(text).toBe('https');
  expect(headers[':status']).toBe(200);
  expect(headers['strict-transport-security']).toBe('max-age=63072000');
  const old = connectTls({ ...options, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
  await expect(once(old, 'secureConnect')).rejects.toThrow();
  const stranger = connectTls({ ...options, servername: 'other.example.org' });
  await expect(once(stranger, 'secureConnect')).rejects.toThrow(/unrecognized/i);
  const { status, headers: led } = await site.get({ method: 'POST', path: '/a%2fb?q=1', body: 'x' });
  expect([status, led['location']]).toEqual([308, 'https://shop.example.com/a%2fb?q=1']);
});

test('a reload under load drops nothing', async () => {
  await using site = await startSite((_req, res) => setTimeout(() => res.end('hello'), 5));
  let reloaded = false;
  let done = 0;
  const client = async (): Promise<void> => {
    // A connection each time: one that is kept may be closed by the server at any moment, as HTTP has it.
    while (!reloaded) {
      expect((await site.get({ path: '/' })).text).toBe('hello');
      done++;
    }
  };
  const clients = Promise.all(Array.from({ length: 8 }, client));
  for (let i = 0; i < 3; i++) {
    const from = done;
    await site.nginx.reload([siteOf('shop', site.dir), siteOf(`other${i}`, site.dir)]);
    await eventually(() => done > from + 50, { deadlineMs: 20_000 });
  }
  reloaded = true;
  await clients;
});
