import { mkdir, mkdtemp, readdir, readlink, rm, unlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestOptions, Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sendProblem } from '../../../router/problem.ts';
import { createStatic } from '../../../router/static.ts';
import { readTarget } from '../../../router/target.ts';
import { ask } from './http-client.ts';
import type { Answer } from './http-client.ts';

const big = Buffer.alloc(8 * 1024 * 1024, 'x');
const files: Record<string, string | Buffer> = {
  'index.html': 'home',
  'about.html': 'about',
  'about/index.html': 'about folder',
  'docs/index.html': 'docs',
  'docs/guide.html': 'guide',
  'a.txt': '0123456789',
  'empty.txt': '',
  'a b#c%20?.txt': 'odd name',
  'café.txt': 'coffee',
  noextension: 'bytes',
  'gone.txt': 'gone',
  'big.bin': big,
  '.env': 'SECRET=1',
  '.git/config': 'secret',
  '.well-known/security.txt': 'contact',
  '.well-known/.hidden': 'secret',
};

let dir: string;
let server: Server;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fnrun-static-'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), content);
  }
  await writeFile(join(dir, 'unlisted.txt'), 'not part of the release');
  await unlink(join(dir, 'gone.txt'));
  const statics = createStatic(dir, Object.keys(files).sort());
  server = createServer((req, res) => {
    const read = readTarget(req.url ?? '');
    if (!read.ok) return sendProblem(res, 'FN_BAD_REQUEST', { detail: read.reason });
    if (statics.serve(req, res, { target: read.target, headers: { 'x-request-id': 'r1' } })) return;
    sendProblem(res, 'FN_NOT_FOUND');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(dir, { recursive: true });
});

function get(path: string, options: RequestOptions = {}): Promise<Answer> {
  return ask({ port: (server.address() as AddressInfo).port, path, ...options });
}

describe('createStatic', () => {
  test.each([
    ['/', 'home'],
    ['/index.html', 'home'],
    ['/index', 'home'],
    ['/about', 'about'],
    ['/about/', 'about folder'],
    ['/docs', 'docs'],
    ['/docs/', 'docs'],
    ['/docs/guide', 'guide'],
    ['/docs/guide.html', 'guide'],
    ['/a.txt?version=1', '0123456789'],
    ['/%61.txt', '0123456789'],
    ['/empty.txt', ''],
    ['/a%20b%23c%2520%3F.txt', 'odd name'],
    ['/caf%C3%A9.txt', 'coffee'],
    ['/.well-known/security.txt', 'contact'],
  ])('serves %s', async (path, body) => {
    const answer = await get(path);
    expect([answer.status, answer.body]).toEqual([200, body]);
    expect(answer.headers['cache-control']).toBe('public, max-age=0, must-revalidate');
    expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(body)));
    expect(answer.headers['x-request-id']).toBe('r1');
    expect(answer.headers.etag).toBeDefined();
  });

  test.each([
    '/.env',
    '/.git/config',
    '/.well-known/.hidden',
    '/unlisted.txt',
    '/docs%2Fguide.html',
    '/docs//guide.html',
    '//',
    '//a.txt',
    '/a.txt/',
    '/A.txt',
    '/constructor',
    '/a.txt%00',
    '/docs/%2e%2e/a.txt',
  ])('does not serve %s', async (path) => {
    const { status, body } = await get(path);
    expect(status).toBeOneOf([400, 404]);
    expect(JSON.parse(body).code).toMatch(/^FN_/);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('leaves %s to the functions', async (method) => {
    expect((await get('/a.txt', { method })).status).toBe(404);
  });

  test('names the type when the extension has one, else says octet-stream', async () => {
    expect((await get('/about')).headers['content-type']).toBe('text/html; charset=utf-8');
    expect((await get('/a.txt')).headers['content-type']).toBe('text/plain; charset=utf-8');
    expect((await get('/noextension')).headers['content-type']).toBe('application/octet-stream');
  });

  test('answers HEAD with the head of GET', async () => {
    const answer = await get('/a.txt', { method: 'HEAD' });
    expect([answer.status, answer.headers['content-length'], answer.body]).toEqual([200, '10', '']);
  });

  test('answers 304 when the ETag is the one, also in a list', async () => {
    const { etag, 'last-modified': modified } = (await get('/a.txt')).headers;
    for (const headers of [
      { 'if-none-match': etag },
      { 'if-none-match': `"x", ${etag}` },
      { 'if-modified-since': modified },
    ]) {
      const answer = await get('/a.txt', { headers });
      expect([answer.status, answer.body, answer.headers.etag]).toEqual([304, '', etag]);
      expect(answer.headers['cache-control']).toBe('public, max-age=0, must-revalidate');
    }
    expect((await get('/a.txt', { headers: { 'if-none-match': '"x"' } })).status).toBe(200);
  });

  test.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=0-99', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=20-', 416, '', 'bytes */10'],
    ['bytes=5-2', 416, '', 'bytes */10'],
    ['items=0-1', 200, '0123456789', undefined],
  ])('answers the range %s with %i', async (range, status, body, contentRange) => {
    const answer = await get('/a.txt', { headers: { range } });
    expect([answer.status, answer.body, answer.headers['content-range']]).toEqual([status, body, contentRange]);
  });

  test('answers a failed precondition with 412', async () => {
    expect((await get('/a.txt', { headers: { 'if-match': '"x"' } })).status).toBe(412);
  });

  test('sends the whole file when If-Range names another version', async () => {
    const answer = await get('/a.txt', { headers: { range: 'bytes=2-4', 'if-range': '"x"' } });
    expect([answer.status, answer.body]).toEqual([200, '0123456789']);
  });

  test('answers 404 when a listed file is gone from the disk', async () => {
    const answer = await get('/gone.txt');
    expect([answer.status, answer.headers['content-type']]).toEqual([404, 'application/problem+json']);
  });

  test('sends a large file whole', async () => {
    expect((await get('/big.bin')).body.length).toBe(big.length);
  });

  test('closes the file when the client leaves in mid-download', async () => {
    const openFiles = async (): Promise<number> => {
      const links = await Promise.allSettled(
        (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`)),
      );
      return links.filter((link) => link.status === 'fulfilled' && link.value.endsWith('big.bin')).length;
    };
    for (let i = 0; i < 10; i += 1) {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
      socket.write('GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n');
      await once(socket, 'data');
      socket.destroy();
    }
    await vi.waitFor(async () => expect(await openFiles()).toBe(0), { timeout: 10_000 });
  });
});

test('finds nothing when a release has no files', () => {
  const read = readTarget('/');
  expect(read.ok && createStatic('/nowhere', []).find(read.target)).toBeNull();
});
