import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { repositoryRoot, startCli } from '../support/cli.ts';
import { eventually, within } from '../support/deadline.ts';
import {
  fetchFrom,
  openFrom,
  targetOf,
  type HttpRequest,
  type HttpResponse,
  type HttpTarget,
} from '../support/http.ts';
import { openSocket, refusedSocket } from '../support/websocket.ts';
import { runTypeScript } from '../support/typescript.ts';
import { makeTempDir } from '../support/temp-dir.ts';

// Real servers and real transfers, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const examples = join(repositoryRoot, 'examples');

interface RunningExample {
  target: Extract<HttpTarget, { port: number }>;
  request: (request: HttpRequest) => Promise<HttpResponse>;
  output: () => string;
}

/** Copies an example out of the repository, installs what it needs, and runs it under `fnrun dev`. */
async function withExample(name: string, use: (app: RunningExample) => Promise<void>): Promise<void> {
  await using folder = await makeTempDir();
  const dir = await copyExample(name, folder.path);
  await using dev = await startCli(['dev', dir, '--port', '0']);
  const target = targetOf(dev.ready);
  await use({ target, request: (request) => fetchFrom(target, request), output: dev.output });
}

async function copyExample(name: string, parent: string): Promise<string> {
  const dir = join(parent, name);
  await cp(join(examples, name), dir, { recursive: true, filter: (path) => !path.includes('node_modules') });
  if ((await readdir(dir)).includes('package-lock.json')) {
    const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: dir, stdio: 'inherit' });
    const [code] = await once(npm, 'close');
    if (code !== 0) throw new Error(`npm ci ended with ${code}`);
  }
  return dir;
}

describe('examples', () => {
  test('hello greets', async () => {
    await withExample('hello', async ({ request }) => {
      expect((await request({ path: '/' })).text).toMatch(/^Hello from hello, release [0-9a-f]{16}\.\n$/);
      expect((await request({ path: '/hello/ada%20l' })).json()).toMatchObject({ hello: 'ada l', method: 'GET' });
      expect((await request({ path: '/robots.txt' })).text).toMatch(/^User-agent/);
    });
  });

  test('json-api lists, makes, checks and removes books', { timeout: 60_000 }, async () => {
    await withExample('json-api', async ({ request }) => {
      const headers = [['content-type', 'application/json']] as const;
      const post = (body: string) => request({ method: 'POST', path: '/api/books', headers, body });
      expect((await request({ path: '/api/books' })).json()).toHaveLength(1);
      const made = await post('{"title":"SICP","year":1985}');
      expect([made.status, made.headers['location']]).toEqual([201, '/api/books/2']);
      expect((await request({ path: '/api/books/2' })).json()).toEqual({ id: 2, title: 'SICP', year: 1985 });
      expect((await post('{"title":""}')).status).toBe(400);
      expect((await post('no JSON')).status).toBe(400);
      expect((await request({ method: 'DELETE', path: '/api/books/2' })).status).toBe(204);
      expect((await request({ path: '/api/books/2' })).status).toBe(404);
    });
  });

  test('lambda counts visits, sends a picture and reads parameters', async () => {
    await withExample('lambda', async ({ request }) => {
      const visit = await request({ path: '/visits', headers: [['cookie', 'x=1; visits=3']] });
      expect(visit.text).toBe('Visit 4\n');
      expect(visit.headerList.filter(([name]) => name === 'set-cookie')).toHaveLength(2);
      const pixel = await request({ path: '/pixel' });
      expect(pixel.headers['content-type']).toBe('image/png');
      expect(pixel.body.subarray(1, 4).toString()).toBe('PNG');
      const sent = await request({ method: 'POST', path: '/pixel', body: new Uint8Array([0, 255, 128]) });
      expect(sent.json()).toEqual({ bytes: 3 });
      expect((await request({ path: '/orders/17?currency=CHF' })).json()).toMatchObject({ order: 17, currency: 'CHF' });
      expect((await request({ path: '/orders/x' })).status).toBe(400);
    });
  });

  test('workers routes by itself and works on after the response', async () => {
    await withExample('workers', async ({ request, output }) => {
      expect((await request({ path: '/greet/ada' })).json()).toEqual({ greeting: 'Hello, ada' });
      expect((await request({ path: '/none' })).text).toBe('Not here\n');
      await eventually(() => output().includes('greeted ada'));
    });
  });

  test('methods keeps notes', async () => {
    await withExample('methods', async ({ request }) => {
      const note = (method: string, body?: string) =>
        request({ method, path: '/notes/milk', ...(body === undefined ? {} : { body }) });
      expect((await note('GET')).status).toBe(404);
      expect((await note('PUT', 'two litres')).status).toBe(201);
      expect((await note('PUT', 'three litres')).status).toBe(204);
      expect((await note('GET')).text).toBe('three litres');
      expect((await note('HEAD')).status).toBe(200);
      expect((await note('POST')).headers['allow']).toBe('DELETE, GET, HEAD, OPTIONS, PUT');
      expect((await note('DELETE')).status).toBe(204);
      expect((await note('DELETE')).status).toBe(404);
    });
  });

  test('sse ticks until the client goes', async () => {
    await withExample('sse', async ({ target, request, output }) => {
      expect((await request({ path: '/' })).headers['content-type']).toMatch(/^text\/html/);
      const { message } = await openFrom(target, { path: '/clock?every=10' });
      expect(message.headers['content-type']).toBe('text/event-stream');
      const [first] = (await within(15_000, 'an event', once(message, 'data'))) as [Buffer];
      expect(first.toString()).toMatch(/^id: 1\ndata: \d{4}-.*Z\n\n/);
      message.destroy();
      await eventually(() => output().includes('stream ended'));
    });
  });

  test('upload takes a form and a stream', async () => {
    await withExample('upload', async ({ request }) => {
      const form = new FormData();
      form.append('file', new File(['content'], 'a.txt', { type: 'text/plain' }));
      const encoded = new Response(form);
      const headers = [['content-type', encoded.headers.get('content-type') ?? '']] as const;
      const sent = await request({ method: 'POST', path: '/form', headers, body: await encoded.bytes() });
      const sha256 = createHash('sha256').update('content').digest('hex');
      expect(sent.json()).toEqual([{ name: 'a.txt', type: 'text/plain', bytes: 7, sha256 }]);
      const streamed = await request({ method: 'PUT', path: '/stream', body: ['con', 'tent'] });
      expect(streamed.json()).toEqual({ bytes: 7, sha256 });
    });
  });

  test(
    'shop sells what it has, with a database of dev, and never the last one twice',
    { timeout: 120_000 },
    async () => {
      await withExample('shop', async ({ request }) => {
        const order = async (items: [product: number, quantity: number][]): Promise<HttpResponse> =>
          await request({
            method: 'POST',
            path: '/orders',
            headers: [['content-type', 'application/json']],
            body: JSON.stringify({
              customer: 'Ada',
              items: items.map(([product, quantity]) => ({ product, quantity })),
            }),
          });
        const placed = await order([
          [2, 3],
          [1, 1],
        ]);
        expect([placed.status, placed.json()]).toEqual([201, { id: 1, total: 5160 }]);
        expect((await request({ path: placed.headers['location']! })).json()).toMatchObject({
          customer: 'Ada',
          total: 5160,
          items: [
            { product: 'Teapot; the small one', quantity: 1 },
            { product: 'Cup', quantity: 3, price: 890 },
          ],
        });
        const last = await Promise.all(
          [1, 2, 3, 4].map(() =>
            order([
              [2, 1],
              [3, 1],
            ]),
          ),
        );
        expect(last.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409]);
        const stock = (await request({ path: '/products' })).json() as { stock: number }[];
        expect(stock.map((product) => product.stock)).toEqual([4, 36, 0]);
        expect((await order([])).status).toBe(400);
        expect((await request({ path: '/orders/99' })).status).toBe(404);
      });
    },
  );

  test('chat carries what one says to all in the room', async () => {
    await withExample('chat', async ({ target, request }) => {
      expect((await request({ path: '/' })).text).toContain('new WebSocket(');
      expect(await refusedSocket(target, '/rooms/tea')).toMatchObject({ status: 400 });
      const ada = await openSocket(target, '/rooms/tea?name=ada');
      const said = async (): Promise<object> => JSON.parse(String(await ada.next())) as object;
      expect(await said()).toEqual({ name: 'ada', event: 'joined', members: 1 });
      // The client that browsers have, in Node.
      const bob = new WebSocket(`ws://${target.host}:${target.port}/rooms/tea?name=bob`);
      const heard: unknown[] = [];
      bob.addEventListener('message', ({ data }) => heard.push(JSON.parse(String(data))));
      await within(15_000, 'the second client', once(bob, 'open'));
      expect(await said()).toEqual({ name: 'bob', event: 'joined', members: 2 });
      const elsewhere = await openSocket(target, '/rooms/coffee?name=eve');
      expect(JSON.parse(String(await elsewhere.next()))).toEqual({ name: 'eve', event: 'joined', members: 1 });
      bob.send('grüße');
      expect(await said()).toEqual({ name: 'bob', text: 'grüße' });
      ada.ws.send('hello');
      expect(await said()).toEqual({ name: 'ada', text: 'hello' });
      await eventually(() => heard.length === 3);
      expect(heard.slice(1)).toEqual([
        { name: 'bob', text: 'grüße' },
        { name: 'ada', text: 'hello' },
      ]);
      const closed = once(bob, 'close') as Promise<[CloseEvent]>;
      bob.close(4000, 'bye');
      expect((await within(15_000, 'the close', closed))[0].code).toBe(4000);
      expect(await said()).toEqual({ name: 'bob', event: 'left', members: 1 });
      ada.ws.send(Buffer.from('bytes'));
      expect(await ada.closed).toEqual({ code: 1003, reason: 'text only' });
    });
  });

  test('every example in TypeScript type-checks', { timeout: 120_000 }, async () => {
    await using folder = await makeTempDir();
    for (const name of ['chat', 'hello', 'json-api', 'methods', 'shop', 'sse', 'upload']) {
      const dir = await copyExample(name, folder.path);
      expect(await runTypeScript(dir), name).toBe('');
    }
  });
});
