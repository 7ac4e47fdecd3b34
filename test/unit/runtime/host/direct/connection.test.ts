import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { httpLimits } from '../../../../../runtime/contract/limits.ts';
import { noOwner } from '../../../../../runtime/host/transaction.ts';
import { responseStart } from '../../../../../runtime/channel/response-start.ts';
import { within } from '../../../../support/deadline.ts';
import { connected, echo, reply } from '../../../../support/direct-connection.ts';
import type { Served } from '../../../../support/direct-connection.ts';

test('a connection answers pipelined requests in their order', async () => {
  const { client, received, until } = await connected(echo);
  // All of it fits one read: a head cut in two would be handed over.
  const count = 500;
  client.write(Array.from({ length: count }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  await until(`</${count - 1} >`);
  expect([...received().matchAll(/<\/(\d+) >/g)].map(([, n]) => Number(n))).toEqual([...Array(count).keys()]);
  client.destroy();
});

test('a connection puts bodies together that come in pieces, and finds the next request behind them', async () => {
  const { client, until } = await connected(echo);
  const text = 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789GET /b HTTP/1.1\r\nHost: a\r\n\r\n';
  client.setNoDelay(true);
  const cut = text.indexOf('01234') + 3;
  client.write(text.slice(0, cut));
  await new Promise((resolve) => client.write(text.slice(cut, cut + 2), resolve));
  client.write(text.slice(cut + 2));
  await until('</a 0123456789>');
  await until('</b >');
  client.destroy();
});

const getB = 'GET /b HTTP/1.1\r\nHost: a\r\n\r\n';
/** Its body, of eight bytes, reads like the rest of a head. */
const likeHead = 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nx: y\r\n\r\n';

test.each([
  ['two heads in one piece', getB + getB, 2],
  ['a body that ends as a head does', likeHead, 1],
  ['such a body before another head', likeHead + getB, 2],
])('a connection finds the end of a head: %s', async (_what, sent, answers) => {
  const { client, until, received } = await connected(echo);
  client.write(sent);
  await until(sent.endsWith(getB) ? '</b >' : '</a x: y\r\n\r\n>');
  expect(received().match(/HTTP\/1\.1 200/g)).toHaveLength(answers);
  expect(received().includes('</a x: y\r\n\r\n>')).toBe(sent.startsWith('POST'));
  client.destroy();
});

test('a connection hands a request of another form over, unread, with all that follows', async () => {
  const { client, until, handedOver } = await connected(echo);
  client.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  await until('</a >');
  const rest = 'GET /b HTTP/1.0\r\n\r\nGET /c HTTP/1.1\r\nHost: a\r\n\r\n';
  client.write(rest);
  expect(await handedOver).toBe(rest);
  client.destroy();
});

test('a connection hands a request over that the server declines, and one whose head comes in pieces', async () => {
  for (const text of ['GET /node HTTP/1.1\r\nHost: a\r\n\r\n', 'GET /a HTTP/1.1\r\nHo']) {
    const { client, handedOver } = await connected(echo);
    client.write(text);
    expect(await handedOver).toBe(text);
    client.destroy();
  }
});

test('a connection answers a body over the limit, reads what is left of it, and ends', async () => {
  const { client, received, closed } = await connected(echo);
  client.write(`POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\n${'x'.repeat(50)}`);
  await within(15_000, 'the answer', once(client, 'data'));
  client.write('x'.repeat(150));
  await within(15_000, 'the end', closed);
  expect(received()).toMatch(/^HTTP\/1\.1 413 .*\r\nConnection: close\r\n/s);
});

test('a transaction hears that its client has gone', async () => {
  const gone = Promise.withResolvers<void>();
  const { client } = await connected(({ tx }) => {
    tx.owner = { ...noOwner, onClosed: gone.resolve };
    client.destroy();
  });
  client.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  await within(15_000, 'the transaction to hear of it', gone.promise);
});

test('a streamed response is framed in chunks, small and large', async () => {
  const large = Buffer.alloc(10_000, 'b');
  const { client, received, until } = await connected(({ tx }) => {
    tx.begin({
      status: 200,
      text: `${responseStart({ status: 200, statusText: 'Fine', hasDate: true }, 0)}x-a: 1\r\n\r\n`,
      body: true,
      announcedBytes: -1,
    });
    tx.write(Buffer.from('aaa'), () => {});
    tx.write(large, () => tx.end());
  });
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await until('\r\n0\r\n\r\n');
  const [head, body] = received().split(/\r\n\r\n(.*)/s) as [string, string];
  expect(head).toMatch(/^HTTP\/1\.1 200 Fine\r\nConnection: keep-alive\r\n.*Transfer-Encoding: chunked\r\nx-a: 1$/s);
  expect(body).toBe(`3\r\naaa\r\n2710\r\n${large.toString()}\r\n0\r\n\r\n`);
  client.destroy();
});

test('a connection finds the request behind an upload that was answered before its end', async () => {
  const { client, until, connection } = await connected((request) => {
    if (request.head.target === '/early') reply(request, '<early>');
    else echo(request);
  });
  const { socket } = await connection;
  const listeners = socket.listenerCount('close');
  for (let i = 0; i < 20; i++) {
    client.write('POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234');
    await within(15_000, 'the answer', once(client, 'data'));
    client.write(`56789GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await until(`</${i} >`);
  }
  expect(socket.listenerCount('close')).toBe(listeners);
  client.destroy();
});

test('a connection goes on behind a body that came whole before anybody wanted it', async () => {
  const length = httpLimits.streamWindowBytes;
  const waiting = Promise.withResolvers<Served>();
  const { client, until, connection } = await connected((request) => {
    if (request.head.contentLength === 0) {
      echo(request);
      return;
    }
    request.tx.body.open({ maxBytes: Infinity, onReady: () => waiting.resolve(request), onTooLarge() {} });
  });
  client.write(`POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`);
  const request = await waiting.promise;
  client.write('x'.repeat(length));
  await within(15_000, 'the body', new Promise<void>((resolve) => request.tx.body.whenComplete(resolve)));
  reply(request, '<done>');
  await until('<done>');
  expect((await connection).socket.isPaused()).toBe(false);
  client.write('GET /b HTTP/1.1\r\nHost: a\r\n\r\n');
  await until('</b >');
  client.destroy();
});

test('a connection that is given back answers first what was read of it', async () => {
  const first = Promise.withResolvers<Served>();
  const { client, until, connection, received } = await connected((request) => {
    if (request.head.target === '/slow') first.resolve(request);
    else echo(request);
  });
  const { socket } = await connection;
  client.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  const request = await first.promise;
  const given = Promise.withResolvers<Socket>();
  (await connection).giveBack(given.resolve);
  // Behind the request that waits for its turn the connection is read no further, but what the kernel gave was taken.
  client.write('GET /b HTTP/1.1\r\nHost: a\r\n\r\n');
  while (socket.readableLength === 0) await new Promise((resolve) => setImmediate(resolve));
  reply(request, '<slow>');
  expect(await within(15_000, 'the connection', given.promise)).toBe(socket);
  await until('</b >');
  expect(received().match(/<.*?>/g)).toEqual(['<slow>', '</a >', '</b >']);
  expect(socket.listenerCount('error')).toBeGreaterThan(0);
  client.destroy();
});

test('a problem document of any length is told, and the connection goes on', async () => {
  const { client, until } = await connected(({ tx, head }) => {
    if (head.target === '/b') reply({ tx, head }, '<b>');
    else tx.problem('FN_NOT_FOUND', { detail: head.target });
  });
  // As JSON it is more than 16 KiB, and still in the pool of small buffers.
  client.write(`GET /${'"'.repeat(8_170)} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await until('404 Not Found');
  client.write('GET /b HTTP/1.1\r\nHost: a\r\n\r\n');
  await until('<b>');
  client.destroy();
});
