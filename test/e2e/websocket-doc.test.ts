import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { deployLimits, gatewayLimits, hostLimits, socketLimits, workerLimits } from '../../runtime/contract/limits.ts';
import { repositoryRoot, startCli } from '../support/cli.ts';
import { readDocument } from '../support/doc-app.ts';
import { targetOf } from '../support/http.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';
import { runTypeScript } from '../support/typescript.ts';
import { openSocket, refusedSocket } from '../support/websocket.ts';

// Real servers, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const document = await readFile(join(repositoryRoot, 'docs/websocket.md'), 'utf8');

test('the code of docs/websocket.md does what is said there', async () => {
  await using folder = await makeTempDir();
  await writeTree(folder.path, readDocument(document).files);
  await using dev = await startCli(['dev', folder.path, '--port', '0']);
  const target = targetOf(dev.ready);
  const echo = await openSocket(target, '/echo', { headers: { 'user-agent': 'the test' } });
  expect(await echo.next()).toBe('hello');
  echo.ws.send('and back');
  expect(await echo.next()).toBe('and back');
  echo.ws.close(4000);
  await dev.waitFor(/gone.*4000/);
  expect(dev.output()).toMatch(/connected.*the test/);

  const authorization = 'Bearer secret';
  expect(await refusedSocket(target, '/private')).toMatchObject({ status: 401, text: 'who are you?\n' });
  expect((await refusedSocket(target, '/private', { headers: { origin: 'https://evil.example' } })).status).toBe(403);
  const headers = { authorization, origin: 'https://app.example.org' };
  const client = await openSocket(target, '/private', { protocols: ['v2', 'v1'], headers });
  expect(client.headers['set-cookie']).toEqual(['seen=1']);
  expect(await client.next()).toBe('welcome to v1');
  expect((await refusedSocket(target, '/private', { protocols: ['v2'], headers })).status).toBe(502);
});

test('the code of docs/websocket.md type-checks', async () => {
  await using folder = await makeTempDir();
  await writeTree(folder.path, readDocument(document).files);
  expect(await runTypeScript(folder.path)).toBe('');
});

test.each([
  ['one message of a client', [socketLimits.messageBytes / 1024 ** 2, socketLimits.messageBytesMax / 1024 ** 2]],
  ['time without a message', [socketLimits.idleMs / 3_600_000, socketLimits.idleMsMax / 3_600_000]],
  ['bytes that wait for a client', [socketLimits.bufferedBytes / 1024 ** 2]],
  ['bytes that wait for a handler', [socketLimits.windowBytes / 1024]],
  ['open sockets of an app', [socketLimits.open, gatewayLimits.inFlightPerApp]],
  ['pings', [socketLimits.pingEveryMs / 1000]],
  ['a WebSocket in the gateway', [gatewayLimits.socketIdleMs / 1000]],
])('docs/websocket.md has the limit of %s', (what, numbers) => {
  const row = document.split('\n').find((line) => line.startsWith(`| ${what} `));
  expect(row).toBeDefined();
  for (const number of numbers) expect(row).toMatch(new RegExp(`\\b${number}\\b`));
});

test('docs/websocket.md has the places of a function, and how often its workers are carried over', () => {
  expect(document).toContain(`\`concurrency\` (${workerLimits.concurrency})`);
  expect(document).toContain(`\`maxWorkers\`, ${workerLimits.maxWorkers})`);
  expect(workerLimits.carryOversMax).toBe(5);
  expect(document).toContain('up to five deployments');
  expect(document).toContain(`does not answer a close within ${socketLimits.closeMs / 1000} s`);
});

test('docs/websocket.md has how long a server takes to stop, and all of it fits into the time there is', () => {
  const { drainMs, closeMs } = gatewayLimits;
  const { stopMs, killSlackMs, behindMs } = hostLimits;
  expect(socketLimits.closeMs + behindMs).toBeLessThan(stopMs);
  expect(drainMs + stopMs + killSlackMs + closeMs).toBeLessThan(deployLimits.shutdownMs);
  const text = document.replaceAll('\n', ' ');
  expect(text).toContain(`end first, for ${gatewayLimits.drainMs / 1000} s at most`);
  expect(text).toContain(
    `gets ${hostLimits.behindMs / 1000} s more. \`fnrun dev\` takes ${hostLimits.devStopMs / 1000} s`,
  );
});
