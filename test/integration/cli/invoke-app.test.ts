import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { invokeApp, type InvokeOptions } from '../../../cli/invoke-app.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

/** A home in which the app `shop` answers with what it was asked. */
async function homeWithEcho() {
  const dir = await makeTempDir();
  await mkdir(join(dir.path, 'run'));
  const server = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const { method, url, headers } = request;
      response.statusCode = url === '/missing' ? 404 : 200;
      response.end(
        JSON.stringify({ method, url, body, host: headers.host, x: headers['x-a'], length: headers['content-length'] }),
      );
    })();
  }).listen(join(dir.path, 'run/shop.sock'));
  await once(server, 'listening');
  return {
    path: dir.path,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await dir.remove();
    },
  };
}

async function invoke(home: string, options: Partial<InvokeOptions> & { target: string }) {
  const output = new PassThrough();
  const status = await invokeApp({
    home,
    app: 'shop',
    method: undefined,
    data: undefined,
    headers: [],
    include: false,
    cwd: home,
    signal: AbortSignal.timeout(5_000),
    output,
    ...options,
  });
  output.end();
  return { status, body: await text(output) };
}

test('invokeApp sends a GET with the path as it is', async () => {
  await using home = await homeWithEcho();
  const { status, body } = await invoke(home.path, { target: '/a%2Fb?x=1' });
  expect(status).toBe(200);
  expect(JSON.parse(body)).toMatchObject({ method: 'GET', url: '/a%2Fb?x=1', body: '', host: 'shop.localhost' });
});

test('invokeApp posts text with its length and repeated headers', async () => {
  await using home = await homeWithEcho();
  const { body } = await invoke(home.path, { target: '/', data: 'hé', headers: ['X-A: 1', 'X-A: 2', 'Host: other'] });
  expect(JSON.parse(body)).toMatchObject({ method: 'POST', body: 'hé', x: '1, 2', host: 'other', length: '3' });
});

test('invokeApp sends a file when the data begins with @', async () => {
  await using home = await homeWithEcho();
  await writeTree(home.path, { 'data.txt': 'from a file' });
  const { body } = await invoke(home.path, { target: '/', method: 'PUT', data: '@data.txt' });
  expect(JSON.parse(body)).toMatchObject({ method: 'PUT', body: 'from a file' });
});

test('invokeApp resolves to the status and prints the head when asked to', async () => {
  await using home = await homeWithEcho();
  const { status, body } = await invoke(home.path, { target: '/missing', include: true });
  expect(status).toBe(404);
  expect(body).toMatch(/^HTTP\/1\.1 404 Not Found\n/);
});

test('invokeApp says that nothing listens when there is no such socket', async () => {
  await using home = await homeWithEcho();
  await expect(invoke(home.path, { target: '/', app: 'none' })).rejects.toMatchObject({ code: 'FN_NOT_RUNNING' });
});

test('invokeApp refuses a header without colon', async () => {
  await using home = await homeWithEcho();
  await expect(invoke(home.path, { target: '/', headers: ['nonsense'] })).rejects.toMatchObject({ code: 'FN_USAGE' });
});

test('invokeApp refuses a method that is none', async () => {
  await using home = await homeWithEcho();
  await expect(invoke(home.path, { target: '/', method: 'b ad' })).rejects.toMatchObject({
    code: 'FN_USAGE',
    message: '"b ad" is no method',
  });
});
