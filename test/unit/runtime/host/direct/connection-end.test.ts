import { once } from 'node:events';
import { expect, test } from 'vitest';
import { httpLimits } from '../../../../../runtime/contract/limits.ts';
import { responseStart } from '../../../../../runtime/channel/response-start.ts';
import { within } from '../../../../support/deadline.ts';
import { connected, echo, reply } from '../../../../support/direct-connection.ts';
import type { Served } from '../../../../support/direct-connection.ts';

test('a connection that drains ends with the response under way', async () => {
  const requests: Served[] = [];
  const asked = Promise.withResolvers<void>();
  const { client, received, closed, connection } = await connected((request) => {
    requests.push(request);
    asked.resolve();
  });
  client.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  await asked.promise;
  (await connection).drain();
  reply(requests[0]!, 'last');
  await within(15_000, 'the end', closed);
  expect(received()).toMatch(/\r\nConnection: close\r\n.*last$/s);
});

test('a connection reads no request behind a response that closes it', async () => {
  const targets: string[] = [];
  const { client, received, closed } = await connected((request) => {
    targets.push(request.head.target);
    echo(request);
  });
  client.write('GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n');
  await within(15_000, 'the end', closed);
  expect(received()).toMatch(/<\/a >$/);
  expect(targets).toEqual(['/a']);
});

test('a connection ends when its client takes nothing of a response that is over', async () => {
  const { client, closed, connection } = await connected((request) => reply(request, 'x'.repeat(1_000_000)));
  const { socket } = await connection;
  client.pause();
  // More than the kernel holds.
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(100));
  while (socket.writableLength === 0) await new Promise((resolve) => setImmediate(resolve));
  const own = await connection;
  own.sweep(0);
  own.sweep(httpLimits.keepAliveTimeoutMs);
  // It is not for the sweep to say how long a client may take.
  expect(socket.destroyed).toBe(false);
  own.cutWhenIdle(50);
  // Whatever it sends: only what it takes counts.
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await within(15_000, 'the cut', once(socket, 'close'));
  expect(socket.destroyed).toBe(true);
  client.resume();
  await within(15_000, 'the end', closed);
});

test('a connection ends when no request comes in time', async () => {
  const silent = await connected(echo, { headTimeoutMs: 50 });
  const connection = await silent.connection;
  // The sweep counts from the first request on.
  connection.sweep(0);
  connection.sweep(httpLimits.keepAliveTimeoutMs);
  expect(connection.socket.destroyed).toBe(false);
  await within(15_000, 'the end', silent.closed);
});

test('a connection waits longer for the next request, and ends when none comes', async () => {
  const { client, until, closed, connection } = await connected(echo, { headTimeoutMs: 5_000 });
  client.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  await until('</a >');
  const { keepAliveTimeoutMs } = httpLimits;
  const own = await connection;
  expect(own.socket.timeout).toBe(0);
  own.sweep(0);
  own.sweep(keepAliveTimeoutMs - 1);
  client.write('GET /b HTTP/1.1\r\nHost: a\r\n\r\n');
  await until('</b >');
  own.sweep(keepAliveTimeoutMs);
  own.sweep(2 * keepAliveTimeoutMs - 1);
  expect(own.socket.destroyed).toBe(false);
  own.sweep(2 * keepAliveTimeoutMs);
  await within(15_000, 'the end', closed);
});

test('a connection whose request is being worked on is not quiet, however long that takes', async () => {
  const served = Promise.withResolvers<Served>();
  const { client, until, connection } = await connected(served.resolve);
  client.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  const request = await served.promise;
  const own = await connection;
  for (const times of [0, 1, 2, 3]) own.sweep(times * httpLimits.keepAliveTimeoutMs);
  reply(request, '<late>');
  await until('<late>');
  client.destroy();
});

test('a large body is written as it is, and its memory given back when the kernel has it', async () => {
  const body = new Uint8Array(3_000_000).fill(97);
  const served = Promise.withResolvers<void>();
  const { client, received, until } = await connected(({ tx }) => {
    tx.owner = { onClosed: served.resolve };
    const start = responseStart({ status: 200, statusText: '', hasDate: false }, Date.now());
    const text = `${start}content-length: ${body.length}\r\n\r\n`;
    tx.respond({ status: 200, text, body, announcedBytes: -1 });
  });
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await within(15_000, 'the end of the response', served.promise);
  expect(body.byteLength).toBe(0);
  await until('a'.repeat(100));
  while (received().length < 3_000_000) await within(15_000, 'the rest', once(client, 'data'));
  expect(received().slice(-3_000_000)).toBe('a'.repeat(3_000_000));
  client.destroy();
});

test('a client that takes nothing of a large body is cut off in the time it is given, and not before it is given one', async () => {
  const served = Promise.withResolvers<Served>();
  const { client, closed, connection } = await connected(served.resolve);
  client.pause();
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const { tx } = await served.promise;
  const body = new Uint8Array(64 * 2 ** 20).fill(97);
  const start = responseStart({ status: 200, statusText: '', hasDate: false }, Date.now());
  tx.respond({ status: 200, text: `${start}content-length: ${body.length}\r\n\r\n`, body, announcedBytes: -1 });
  const { socket } = await connection;
  expect(socket.writableLength).toBeGreaterThan(0);
  tx.cutWhenIdle(100);
  await within(15_000, 'the cut', once(socket, 'close'));
  expect(body.byteLength).toBe(64 * 2 ** 20);
  client.resume();
  await within(15_000, 'the end', closed);
});
