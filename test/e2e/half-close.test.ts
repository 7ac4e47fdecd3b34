import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { healthPath } from '../../router/gateway/gateway.ts';
import { startCli } from '../support/cli.ts';
import { eventually, within } from '../support/deadline.ts';
import { fetchFrom, targetOf } from '../support/http.ts';
import type { HttpTarget } from '../support/http.ts';
import { startNginx } from '../support/nginx.ts';
import { pushTree, startServe } from '../support/serve.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

// Real servers, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const host = 'half.localhost';
const cleanups: (() => Promise<unknown>)[] = [];
const targets = new Map<string, HttpTarget>();

/** Holds requests to /hold until /go, and tells at /held how many wait and how many were given up. */
const functions = {
  'functions/index.ts': `
    const waiting = new Set<() => void>();
    let gone = 0;
    const json = () => Response.json({ waiting: waiting.size, gone });
    export const config = { maxWorkers: 1, subtree: true };
    export default async (request: Request, ctx): Promise<Response> => {
      const { pathname } = new URL(request.url);
      if (pathname === '/held') return json();
      if (pathname === '/go') for (const go of waiting) go();
      if (pathname !== '/hold') return json();
      const text = await request.text();
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      ctx.signal.addEventListener('abort', () => { gone++; resolve(); });
      await promise;
      waiting.delete(resolve);
      return new Response('held ' + text + ';');
    };`,
  'public/file.txt': 'a file;',
};

beforeAll(async () => {
  const folder = await makeTempDir();
  cleanups.push(folder.remove);
  const app = join(folder.path, 'half');
  await writeTree(app, functions);
  const dev = await startCli(['dev', app, '--port', '0']);
  cleanups.push(dev.stop);
  targets.set('fnrun dev', targetOf(dev.ready));
  const serve = await startServe();
  cleanups.push(serve.stop);
  await pushTree(app, await serve.createApp('half'));
  targets.set('the gateway', serve.gateway);
  const socket = serve.appSocket('half') as { socketPath: string };
  targets.set('the socket of the app', socket);
  const nginx = await startNginx([{ name: 'half', hostname: host, ...socket }]);
  cleanups.push(nginx.stop);
  targets.set('nginx', nginx.target);
}, 120_000);

afterAll(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
}, 60_000);

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const chunked = `POST /hold HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`;

interface Client {
  socket: Socket;
  /** All that it was answered, when its connection has ended. */
  answer: Promise<string>;
}

/** Connects and sends `bytes`. It ends neither side by itself. */
async function send(target: HttpTarget, bytes: string): Promise<Client> {
  const where = 'socketPath' in target ? { path: target.socketPath } : target;
  const socket = connect({ ...where, allowHalfOpen: true });
  await once(socket, 'connect');
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => void (text += chunk));
  const ended = new Promise<string>((resolve) => socket.once('end', () => resolve(text)).once('close', resolve));
  // Where the server has closed both sides.
  socket.on('error', () => {});
  socket.write(bytes);
  return { socket, answer: within(20_000, 'the end of the connection', ended) };
}

async function held(target: HttpTarget): Promise<{ waiting: number; gone: number }> {
  return (await fetchFrom(target, { path: '/held', headers: [['Host', host]] })).json();
}

const isHeld = (target: HttpTarget): Promise<unknown> => eventually(async () => (await held(target)).waiting === 1);

describe('on the socket of the app', () => {
  const target = (): HttpTarget => targets.get('the socket of the app')!;

  test.each([
    ['a plain request', get('/hold'), ['200', 'held ;']],
    ['a request for node:http', chunked, ['200', 'held body;']],
    ['plain requests at once', get('/hold') + get('/') + get('/held'), ['200', 'held ;', '200', '200']],
  ])('a client that ends its side behind %s is answered, then the connection ends', async (_name, bytes, expected) => {
    const { socket, answer } = await send(target(), '');
    socket.end(bytes);
    await isHeld(target());
    await fetchFrom(target(), { path: '/go' });
    expect((await answer).match(/(?<=HTTP\/1\.1 )\d+|held \w*;/g)).toEqual(expected);
  });

  test('a client that ends its side behind a request for a file is answered', async () => {
    const { socket, answer } = await send(target(), '');
    socket.end(get('/file.txt'));
    expect(await answer).toMatch(/^HTTP\/1\.1 200 [^]*a file;$/);
  });

  test.each([
    ['declared', 'Content-Length: 100000', ''],
    ['declared and small', 'Content-Length: 100', ''],
    ['chunked', 'Transfer-Encoding: chunked', '400'],
  ])(
    'a client that ends its side within a body (%s) is not answered as if it were whole',
    async (_name, header, status) => {
      const part = get('/hold').replace('GET', 'POST').replace('Host', `${header}\r\nHost`) + '4\r\npart\r\n';
      const alone = await send(target(), '');
      alone.socket.end(part);
      expect((await alone.answer).slice(9, 12)).toBe(status);
      const behind = await send(target(), '');
      behind.socket.end(get('/hold') + part);
      await isHeld(target());
      await fetchFrom(target(), { path: '/go' });
      expect((await behind.answer).match(/(?<=HTTP\/1\.1 )\d+/g)).toEqual(['200', status].filter(Boolean));
    },
  );

  test.each([
    ['a plain request', get('/hold')],
    ['a request for node:http', chunked],
  ])('a client that closes behind %s has gone, also when it ended its side before', async (_name, bytes) => {
    const { gone } = await held(target());
    const atOnce = await send(target(), bytes);
    await isHeld(target());
    atOnce.socket.destroy();
    await eventually(async () => (await held(target())).gone === gone + 1);
    const later = await send(target(), bytes);
    later.socket.end();
    await isHeld(target());
    later.socket.destroy();
    await eventually(async () => (await held(target())).gone === gone + 2);
  });
});

// Over TCP it looks like one that has closed, and nginx closes its connection to the app then.
test.each(['the gateway', 'nginx', 'fnrun dev'])('through %s, a client that ends its side has gone', async (way) => {
  const target = targets.get(way)!;
  for (const bytes of [get('/hold'), chunked]) {
    const { gone } = await held(target);
    const { socket, answer } = await send(target, bytes);
    await isHeld(target);
    socket.end();
    await eventually(async () => (await held(target)).gone === gone + 1);
    expect(await answer).toBe('');
    socket.destroy();
  }
});

test('the health check of the gateway is answered to a client that ends its side', async () => {
  const { socket, answer } = await send(targets.get('the gateway')!, '');
  socket.end(get(healthPath));
  expect(await answer).toMatch(/^HTTP\/1\.1 200 [^]*"status":"ok"/);
});
