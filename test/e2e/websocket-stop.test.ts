import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { hostLimits, socketLimits } from '../../runtime/contract/limits.ts';
import { startCli } from '../support/cli.ts';
import { targetOf } from '../support/http.ts';
import { pushTree, startServe } from '../support/serve.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';
import { openSocket } from '../support/websocket.ts';
import type { SocketClient } from '../support/websocket.ts';

// Real servers, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const files = {
  'functions/echo/index.ts': `
    export function websocket(socket, ctx) {
      socket.addEventListener('message', ({ data }) => socket.send(data));
      socket.addEventListener('close', async ({ code, wasClean }) => {
        // As if it saved something: the end of the server waits for it.
        await new Promise((resolve) => setTimeout(resolve, 200));
        ctx.log.info('closed ' + code + ' ' + wasClean);
      });
    }`,
};

const headers = { host: 'talk.localhost' };
const goingAway = { code: 1001, reason: 'the server is stopping' };

/** Messages go both ways: the handler listens. */
async function exchange({ ws, next }: SocketClient): Promise<void> {
  ws.send('x'.repeat(100_000));
  expect(await next()).toHaveLength(100_000);
}

test('a server that stops closes WebSockets with 1001, through the gateway and on the socket of the app', async () => {
  await using folder = await makeTempDir();
  await writeTree(folder.path, files);
  await using serve = await startServe();
  await pushTree(folder.path, await serve.createApp('talk'));
  const targets = [serve.gateway, serve.gateway, serve.appSocket('talk')];
  const clients = await Promise.all(targets.map((target) => openSocket(target, '/echo', { headers })));
  await Promise.all(clients.map(exchange));
  // Reads nothing, so that it does not answer the close.
  const deaf = await openSocket(serve.gateway, '/echo', { headers });
  deaf.ws.pause();
  const before = performance.now();
  const stopped = serve.cli.stop();
  expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(clients.map(() => goingAway));
  expect((await stopped).code).toBe(0);
  expect(performance.now() - before).toBeLessThan(socketLimits.closeMs + 3_000);
  deaf.ws.resume();
  expect(await deaf.closed).toEqual(goingAway);
  const log = await readFile(join(serve.home, 'logs', 'talk.ndjson'), 'utf8');
  expect(log.match(/closed \d+ \w+/g)?.toSorted()).toEqual(
    ['closed 1001 true', 'closed 1001 true', 'closed 1001 true', 'closed 1006 false'].toSorted(),
  );
});

test('Ctrl-C on fnrun dev closes WebSockets with 1001', async () => {
  await using folder = await makeTempDir();
  await writeTree(folder.path, files);
  await using dev = await startCli(['dev', folder.path, '--port', '0']);
  const target = targetOf(dev.ready);
  const [client, deaf] = [await openSocket(target, '/echo'), await openSocket(target, '/echo')];
  await exchange(client);
  deaf.ws.pause();
  const before = performance.now();
  const stopped = dev.stop('SIGINT');
  expect(await client.closed).toEqual(goingAway);
  await stopped;
  expect(performance.now() - before).toBeLessThan(hostLimits.devStopMs + 3_000);
  expect(dev.output()).toContain('closed 1001 true');
  deaf.ws.resume();
  expect(await deaf.closed).toEqual(goingAway);
});
