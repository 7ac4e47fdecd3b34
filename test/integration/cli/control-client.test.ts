import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createControlClient } from '../../../cli/control-client.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

/** A home with something that answers on its control socket. */
async function homeWith(listener: RequestListener) {
  const dir = await makeTempDir();
  await mkdir(join(dir.path, 'run'));
  const server = createServer(listener).listen(join(dir.path, 'run/control.sock'));
  await once(server, 'listening');
  return {
    path: dir.path,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await dir.remove();
    },
  };
}

test('request sends a JSON body and gives the JSON answer', async () => {
  await using home = await homeWith((request, response) => {
    void (async () => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      response.end(JSON.stringify({ method: request.method, url: request.url, body: JSON.parse(body) }));
    })();
  });
  const answer = await createControlClient(home.path).request('POST', '/v1/apps', { body: { name: 'shop' } });
  expect(answer).toEqual({ method: 'POST', url: '/v1/apps', body: { name: 'shop' } });
});

test('request turns a problem document into an error with its code and hint', async () => {
  await using home = await homeWith((_request, response) => {
    response.statusCode = 404;
    response.end(JSON.stringify({ code: 'FN_NO_SUCH_APP', detail: 'There is no app shop', hint: 'see: fnrun apps' }));
  });
  await expect(createControlClient(home.path).request('GET', '/v1/apps/shop')).rejects.toMatchObject({
    code: 'FN_NO_SUCH_APP',
    message: 'There is no app shop',
    hint: 'see: fnrun apps',
  });
});

test('request gives up at its deadline when the server does not answer', async () => {
  await using home = await homeWith(() => undefined);
  const asked = createControlClient(home.path).request('GET', '/v1/apps', { deadlineMs: 20 });
  await expect(asked).rejects.toMatchObject({
    code: 'FN_NOT_RUNNING',
    message: expect.stringContaining('did not answer in time'),
  });
});

test('stream yields lines as they come, also when a chunk ends within one', async () => {
  await using home = await homeWith((_request, response) => {
    response.write('{"n":1}\n{"n"');
    response.end(':2}\n\n{"n":3}');
  });
  const seen: unknown[] = [];
  const { signal } = new AbortController();
  for await (const value of createControlClient(home.path).stream('/v1/apps/shop/logs', { signal })) seen.push(value);
  expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
});

test('stream ends without an error when it is aborted', async () => {
  await using home = await homeWith((_request, response) => void response.write('{"n":1}\n'));
  const stop = new AbortController();
  const seen: unknown[] = [];
  for await (const value of createControlClient(home.path).stream('/logs', { signal: stop.signal })) {
    seen.push(value);
    stop.abort();
  }
  expect(seen).toEqual([{ n: 1 }]);
});

test('stream says that the server has ended when it is cut off', async () => {
  await using home = await homeWith((_request, response) => {
    response.write('{"n":1}\n', () => response.destroy());
  });
  const { signal } = new AbortController();
  const read = async (): Promise<void> => {
    for await (const value of createControlClient(home.path).stream('/logs', { signal }))
      expect(value).toEqual({ n: 1 });
  };
  await expect(read()).rejects.toMatchObject({
    code: 'FN_NOT_RUNNING',
    message: `The fnrun server in ${home.path} has ended`,
  });
});
