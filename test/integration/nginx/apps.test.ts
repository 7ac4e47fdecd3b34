import type { IncomingMessage } from 'node:http';
import { send } from '@fastify/send';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { directivesOf } from '../../../deploy/nginx/directive.ts';
import { runCli } from '../../support/cli.ts';
import { eventually } from '../../support/deadline.ts';
import { commitAll, git, initRepository } from '../../support/git.ts';
import { fetchFrom, openFrom, type HttpRequest, type HttpResponse, type HttpTarget } from '../../support/http.ts';
import { nginxFacts, siteOf, startRendered, type RenderedNginx } from '../../support/nginx.ts';
import { pushTree, startServe, type Serve } from '../../support/serve.ts';
import { makeTempDir, writeTree, type TempDir } from '../../support/temp-dir.ts';
import { openSocket } from '../../support/websocket.ts';
import { planMain } from '../../../deploy/nginx/plan.ts';

vi.setConfig({ testTimeout: 60_000 });

/** Each in the words of a request, with how nginx's own reading might differ. */
const files: Record<string, string | Buffer> = {
  'index.html': '<h1>home</h1>',
  'about.html': 'about',
  'about/index.html': 'about folder',
  'docs/index.html': 'docs',
  'docs/.html': 'hidden',
  'style.css': `body { color: red }${' '.repeat(600)}`,
  'big.bin': Buffer.alloc(300_000, 'x'),
  'a b.txt': 'odd name',
  'café.txt': 'coffee',
  noextension: 'bytes',
  '.env': 'SECRET=1',
  '.well-known/security.txt': 'contact',
  'empty.txt': '',
  'zipped.txt': 'z'.repeat(2_000),
  'zipped.txt.gz': gzipSync('z'.repeat(2_000)),
  'hidden/function.txt': 'file',
};

const functions: Record<string, string> = {
  'functions/index.ts': 'export default (request: Request) => new Response(`function ${request.method}`);',
  'functions/hello.ts':
    'export const config = { maxBodyBytes: 1000, timeoutMs: 70_000 };\nexport default (request: Request) => new Response("hello " + new URL(request.url).pathname);',
  'functions/[...rest]/index.ts':
    'export default (request: Request) => new Response("rest " + new URL(request.url).pathname);',
  'functions/events.ts': `
    let open: ReadableStreamDefaultController<string> | null = null;
    export const POST = () => { open?.enqueue('data: two\\n\\n'); open?.close(); return new Response('sent'); };
    export const GET = () => new Response(new ReadableStream<string>({
      start(controller) { open = controller; controller.enqueue('data: one\\n\\n'); },
    }).pipeThrough(new TextEncoderStream()), { headers: { 'content-type': 'text/event-stream' } });
    export const config = { maxWorkers: 1 };`,
  'functions/chat.ts': `
    export const websocket = (socket: WebSocket) => socket.addEventListener('message', ({ data }) => socket.send('echo ' + data));`,
};

let serve: Serve;
let source: TempDir;
let nginx: RenderedNginx;
let remote: string;

beforeAll(async () => {
  serve = await startServe();
  source = await makeTempDir();
  remote = await serve.createApp('shop');
  const all = Object.entries(files).map(([name, content]) => [`public/${name}`, content] as const);
  await writeTree(source.path, {
    ...functions,
    ...Object.fromEntries(all),
    'fnrun.json': JSON.stringify({ domains: ['shop.example.org'] }),
  });
  await initRepository(source.path);
  await pushTree(source.path, remote);
  await serve.createApp('other');
  nginx = await startRendered(await nginxFacts(), [
    siteOf('shop', serve.home, { hasPublic: true, names: ['shop.example.com', 'shop.example.org'] }),
    siteOf('other', serve.home),
  ]);
}, 90_000);

afterAll(async () => {
  await nginx?.[Symbol.asyncDispose]();
  await serve?.stop();
  await source?.remove();
});

async function at(target: HttpTarget, request: HttpRequest, host = 'shop.example.com'): Promise<HttpResponse> {
  return await fetchFrom(target, { ...request, headers: [['Host', host], ...(request.headers ?? [])] });
}

/** What must be the same, whoever serves a file. */
function essence({ status, headers, body }: HttpResponse): unknown {
  const names = ['content-type', 'content-length', 'cache-control', 'last-modified', 'accept-ranges', 'content-range'];
  // Whoever sends a part has said so.
  if (status === 206) names.splice(names.indexOf('accept-ranges'), 1);
  const kept = status === 304 ? ['cache-control', 'last-modified'] : names;
  return { status, body: body.toString('latin1'), ...Object.fromEntries(kept.map((name) => [name, headers[name]])) };
}

const targets = [
  '/',
  '/index.html',
  '/index',
  '/about',
  '/about/',
  '/about.html',
  '/docs',
  '/docs/',
  '/docs/index',
  '/docs/.html',
  '/style.css',
  '/style.css?v=1',
  '/big.bin',
  '/a%20b.txt',
  '/caf%C3%A9.txt',
  '/noextension',
  '/.env',
  '/.well-known/security.txt',
  '/empty.txt',
  '/zipped.txt',
  '/zipped.txt.gz',
  '/hidden%2Ffunction.txt',
  '/hidden//function.txt',
  '/hidden/../style.css',
  '/hidden/%2e%2e/style.css',
  '/hidden',
  '/hello',
  '/nothing/here',
  '/public/style.css',
  '/../manifest.json',
];

test.each(targets)('%s is the same from nginx and from the app host', async (path) => {
  const own = serve.appSocket('shop');
  for (const method of ['GET', 'HEAD', 'POST']) {
    const [ours, theirs] = await Promise.all([at(own, { path, method }), at(nginx.http, { path, method })]);
    // nginx refuses some odd targets with a page of its own.
    if (ours.status === 400) expect(theirs.status).toBe(400);
    else expect(essence(theirs), method).toEqual(essence(ours));
  }
});

test('nginx itself serves the files, and the link to the live release says which', async () => {
  expect(await readlink(join(serve.home, 'apps/shop/live'))).toMatch(/^releases\/[0-9a-f]{16}$/);
  await at(nginx.http, { path: '/style.css', headers: [['X-Request-Id', 'of-a-file']] });
  await at(nginx.http, { path: '/hello', headers: [['X-Request-Id', 'of-a-function']] });
  const of = async (id: string): Promise<unknown> => {
    const line = await eventually(async () => (await nginx.log(1)).find((one) => one['request_id'] === id));
    return line['upstream_status'];
  };
  expect([await of('of-a-file'), await of('of-a-function')]).toEqual(['', '200']);
});

test('conditions and ranges are answered as the app host answers them', async () => {
  const own = serve.appSocket('shop');
  const first = await at(nginx.http, { path: '/big.bin' });
  expect(first.headers['etag']).toMatch(/^"/);
  const since = first.headers['last-modified']!;
  const conditions: [string, string][][] = [
    [['If-Modified-Since', since]],
    [['If-Modified-Since', 'Thu, 01 Jan 1970 00:00:00 GMT']],
    [['If-None-Match', '"other"']],
    [['Range', 'bytes=10-19']],
    [['Range', 'bytes=-5']],
    [['Range', 'bytes=0-1,4-5']],
  ];
  for (const headers of conditions) {
    const [ours, theirs] = await Promise.all([
      at(own, { path: '/big.bin', headers }),
      at(nginx.http, { path: '/big.bin', headers }),
    ]);
    expect(essence(theirs), JSON.stringify(headers)).toEqual(essence(ours));
  }
  const again = await at(nginx.http, { path: '/big.bin', headers: [['If-None-Match', first.headers['etag']!]] });
  expect(again.status).toBe(304);
  expect((await at(nginx.http, { path: '/big.bin', headers: [['Range', 'bytes=400000-']] })).status).toBe(416);
});

test('a file that has a .gz beside it goes out as that, others are compressed', async () => {
  const headers = [['Accept-Encoding', 'gzip']] as const;
  const ready = await at(nginx.http, { path: '/zipped.txt', headers });
  expect(ready.body.equals(files['zipped.txt.gz'] as Buffer)).toBe(true);
  expect(ready.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
  expect(ready.headers['content-type']).toBe('text/plain; charset=utf-8');
  const made = await at(nginx.http, { path: '/style.css', headers });
  expect(gunzipSync(made.body).toString()).toBe(files['style.css']);
});

test('every type that nginx gives is the one that the app host gives', async () => {
  await using temp = await makeTempDir();
  const types = directivesOf(planMain(await nginxFacts()).items).find(({ name }) => name === 'types')!;
  const charsets = directivesOf(planMain(await nginxFacts()).items).find(
    ({ name }) => name === 'charset_types',
  )!.words!;
  let count = 0;
  for (const { name, words = [] } of directivesOf(types.block!)) {
    for (const end of words as string[]) {
      await writeTree(temp.path, { [`a.${end}`]: 'x' });
      const req = { method: 'GET', headers: {} } as IncomingMessage;
      const { stream, headers } = await send(req, `a.${end}`, { root: temp.path });
      stream.destroy();
      const isText = name === 'text/html' || charsets.includes(name);
      expect(`${end} ${headers['Content-Type']}`).toBe(`${end} ${name}${isText ? '; charset=utf-8' : ''}`);
      count++;
    }
  }
  expect(count).toBeGreaterThan(60);
});

test('events come one by one, without a word of the handler about buffers', async () => {
  const { message } = await openFrom(nginx.http, { path: '/events', headers: [['Host', 'shop.example.com']] });
  const chunks = message.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>;
  expect((await chunks.next()).value).toBe('data: one\n\n');
  expect((await at(nginx.http, { path: '/events', method: 'POST' })).text).toBe('sent');
  expect((await chunks.next()).value).toBe('data: two\n\n');
});

test('a WebSocket goes through', async () => {
  const socket = await openSocket(nginx.http, '/chat', { headers: { host: 'shop.example.com' } });
  socket.ws.send('hello');
  expect(await socket.next()).toBe('echo hello');
});

test('several apps and domains are told apart by their names', async () => {
  expect((await at(nginx.http, { path: '/hello' }, 'shop.example.org')).text).toBe('hello /hello');
  expect((await at(nginx.http, { path: '/hello' }, 'other.example.com')).json()).toMatchObject({
    code: 'FN_NO_RELEASE',
  });
});

test('a preview has its functions and files below a name of its own; one that is gone is 503', async () => {
  await git(source.path, 'checkout', '-q', '-b', 'new-look');
  await writeTree(source.path, {
    'public/style.css': 'blue',
    'functions/hello.ts': 'export default () => new Response("preview");',
  });
  await commitAll(source.path, 'Look');
  await git(source.path, 'push', '-q', remote, 'HEAD');
  const host = 'new-look--shop.example.com';
  expect((await at(nginx.http, { path: '/hello' }, host)).text).toBe('preview');
  expect((await at(nginx.http, { path: '/style.css' }, host)).text).toBe('blue');
  expect((await at(nginx.http, { path: '/style.css' })).text).toContain('red');
  const gone = await at(nginx.http, { path: '/' }, 'gone--shop.example.com');
  expect([gone.status, (gone.json() as { code: string }).code]).toEqual([503, 'FN_APP_UNAVAILABLE']);
});

test('a deployment changes the files that nginx serves, without a reload', async () => {
  await git(source.path, 'checkout', '-q', 'main');
  await writeTree(source.path, { 'public/style.css': 'green' });
  await pushTree(source.path, remote);
  expect((await at(nginx.http, { path: '/style.css' })).text).toBe('green');
});

test('fnrun render nginx prints a file for each app, which nginx has read', async () => {
  const { code, stdout, stderr } = await runCli([
    'render',
    'nginx',
    '--home',
    serve.home,
    '--no-tls',
    '--domain',
    'example.com',
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const file of ['nginx.conf', 'fnrun/shop.conf', 'fnrun/other.conf'])
    expect(stdout).toContain(`# ==== /etc/nginx/${file} ====`);
  const own = await runCli(['render', 'nginx', 'shop', '--home', serve.home, '--no-tls', '--json']);
  const { sites, files: written } = JSON.parse(own.stdout) as { sites: unknown[]; files: { verdict: unknown }[] };
  // The largest body is that of the functions that say nothing.
  expect(sites).toEqual([
    expect.objectContaining({
      names: ['shop.example.org', 'shop.*'],
      hasPublic: true,
      maxBodyBytes: 16 * 2 ** 20,
      timeoutMs: 70_000,
    }),
  ]);
  expect(written).toMatchObject([{ path: '/etc/nginx/fnrun/shop.conf', verdict: { ok: true, complaints: [] } }]);
});

test('without its link the app host serves the files', async () => {
  await unlink(join(serve.home, 'apps/shop/live'));
  expect((await at(nginx.http, { path: '/style.css' })).text).toBe('green');
});

test('while the server is away every app is 503 with Retry-After', async () => {
  await serve.cli.stop();
  const away = await at(nginx.http, { path: '/hello' });
  expect([away.status, away.headers['retry-after']]).toEqual([503, '1']);
});
