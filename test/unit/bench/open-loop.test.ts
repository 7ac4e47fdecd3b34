import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { LoadConnection, type Outcome } from '../../bench/load/connection.ts';
import { openLoop } from '../../bench/load/run-open-loop.ts';

async function listen(server: Server | TcpServer): Promise<{ host: string; port: number }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

const request = 'GET / HTTP/1.1\r\nhost: test\r\n\r\n';

function send(connection: LoadConnection, { timeoutMs = 10_000 } = {}): Promise<[Outcome, boolean]> {
  onTestFinished(() => connection.destroy());
  return new Promise((resolve) => {
    connection.send(request, { timeoutMs, onEnd: (...ended) => resolve(ended) });
  });
}

/** A server that answers every request with these bytes, one write for each string. */
function answering(...parts: readonly string[]): TcpServer {
  return createTcpServer((socket) => {
    socket.setNoDelay(true).on('error', () => {});
    socket.on('data', () => {
      const write = (index: number): void => {
        if (index < parts.length) socket.write(parts[index]!, () => setImmediate(write, index + 1));
      };
      write(0);
    });
  });
}

test('a connection is used again after a response, whatever pieces it came in', async () => {
  const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello';
  const connection = new LoadConnection(await listen(answering(...Array.from(whole))));
  expect(await send(connection)).toEqual([200, true]);
  expect(await send(connection)).toEqual([200, true]);
});

test('a connection tells the status, and is not used again when the server closes it', async () => {
  const target = await listen(answering('HTTP/1.1 503 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'));
  const connection = new LoadConnection(target);
  expect(await send(connection)).toEqual([503, false]);
  expect(connection.usable).toBe(false);
});

test('a connection counts a response of unknown or wrong length as malformed', async () => {
  const unknown = new LoadConnection(await listen(answering('HTTP/1.1 200 OK\r\n\r\n')));
  expect(await send(unknown)).toEqual(['malformed', false]);
  const longer = new LoadConnection(await listen(answering('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nlonger')));
  expect(await send(longer)).toEqual(['malformed', false]);
});

test('a connection says when it was closed and when nothing came', async () => {
  const closing = await listen(createTcpServer((socket) => socket.on('error', () => {}).end()));
  expect(await send(new LoadConnection(closing))).toEqual(['closed', false]);
  const silent = await listen(createTcpServer((socket) => socket.on('error', () => {}).resume()));
  expect(await send(new LoadConnection(silent), { timeoutMs: 20 })).toEqual(['timeout', false]);
});

test('openLoop offers the whole rate and charges a stall to all that was due in it', async () => {
  const stallMs = 400;
  let answered = 0;
  const server = createServer((_request, response) => {
    setTimeout(() => response.end('ok'), ++answered === 60 ? stallMs : 0);
  });
  const { port } = await listen(server);
  // One connection: while it stalls nothing else can be sent, and a closed loop would see one slow request.
  const result = await openLoop(`http://127.0.0.1:${port}/`, {
    requestsPerSecond: 200,
    seconds: 1,
    warmUpSeconds: 0,
    connections: 1,
  });
  expect(result.outcomes).toEqual({ 200: 200 });
  expect(result.offered).toBe(200);
  // The stalled request waited for all of it, and the 80 that were due meanwhile for the rest of it.
  expect(result.ok.max).toBeGreaterThan(stallMs * 0.9);
  expect(result.ok.p90).toBeGreaterThan(stallMs * 0.5);
});

// It measures time: a machine that stalls by itself in the middle spoils a try.
test('openLoop tells an outage from a stall', { retry: 3 }, async () => {
  const startedMs = performance.now();
  const server = createServer((_request, response) => {
    const atMs = performance.now() - startedMs;
    // Answers nobody for a while, later keeps everybody waiting for as long.
    if (atMs > 1_000 && atMs < 1_300) return response.destroy();
    setTimeout(() => response.end('ok'), atMs > 1_700 && atMs < 2_000 ? 2_000 - atMs : 0);
  });
  const { port } = await listen(server);
  const options = { requestsPerSecond: 400, seconds: 3, warmUpSeconds: 0, connections: 512 };
  const { outcomes, ok, outageMs, silenceMs } = await openLoop(`http://127.0.0.1:${port}/`, options);
  expect(outcomes['closed']).toBeGreaterThan(30);
  expect(ok.count + outcomes['closed']!).toBe(1_200);
  // The requests of the stall were all answered, late: that is silence, and no outage.
  expect(outageMs).toBeGreaterThan(150);
  expect(outageMs).toBeLessThan(550);
  expect(silenceMs).toBeGreaterThan(250);
});
