import { Agent } from 'node:http';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, within } from '../support/deadline.ts';
import { openFrom, type HttpTarget } from '../support/http.ts';
import { childNamed, residentBytes } from '../support/proc.ts';
import { openRaw } from '../support/raw-http.ts';
import { pushTree, startServe, type Serve } from '../support/serve.ts';
import { makeTempDir, writeTree, type TempDir } from '../support/temp-dir.ts';

// Real servers and real transfers, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const MiB = 1024 * 1024;
const bodyBytes = 10 * MiB;
const chunkBytes = 64 * 1024;

let folder: TempDir;
let serve: Serve;
let hostPid: number;

beforeAll(async () => {
  serve = await startServe();
  folder = await makeTempDir();
  await writeTree(folder.path, {
    'functions/mirror/index.ts': `
      export default (request: Request) => new Response(request.body, { headers: { 'x-begun': 'yes' } });`,
    'functions/endless/index.ts': `
      const chunk = new Uint8Array(64 * 1024);
      let sent = 0;
      export const config = { maxWorkers: 1 };
      export default (request: Request) =>
        new URL(request.url).searchParams.has('sent')
          ? Response.json({ sent })
          : new Response(new ReadableStream({ pull(controller) { sent += chunk.length; controller.enqueue(chunk); } }));`,
  });
  await pushTree(folder.path, await serve.createApp('stream'));
  // The first call starts what is not running yet.
  await mirror(serve.gateway);
  hostPid = await childNamed(serve.cli.child.pid ?? 0, 'fnrun: stream');
}, 60_000);

afterAll(async () => {
  await serve?.stop();
  await folder?.remove();
});

/** Sends 10 MB that differ from chunk to chunk, reads them back as they come, and compares. */
async function mirror(target: HttpTarget): Promise<void> {
  const sent = createHash('sha256');
  function* chunks() {
    for (let i = 0; i < bodyBytes / chunkBytes; i++) {
      const chunk = Buffer.alloc(chunkBytes, `chunk ${i} `);
      sent.update(chunk);
      yield chunk;
    }
  }
  const body = Readable.from(chunks(), { highWaterMark: 1 });
  const headers = [
    ['Host', 'stream.localhost'],
    ['Content-Length', String(bodyBytes)],
  ] as const;
  // Kept alive: a client that ends its request a moment after the server closed loses what it has not read yet.
  const agent = new Agent({ keepAlive: true });
  const { message } = await openFrom(target, { method: 'POST', path: '/mirror', headers, body, agent });
  const received = createHash('sha256');
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    received.update(chunk);
    bytes += chunk.length;
  }
  agent.destroy();
  expect({ status: message.statusCode, bytes }).toEqual({ status: 200, bytes: bodyBytes });
  expect(received.digest('hex')).toBe(sent.digest('hex'));
}

/** The most that `pid` grows above what it has now while `work` runs. */
async function growthDuring(pid: number, work: () => Promise<void>): Promise<number> {
  const before = await residentBytes(pid);
  let most = before;
  const running = new AbortController();
  const watch = (async () => {
    while (!running.signal.aborted) {
      most = Math.max(most, await residentBytes(pid));
      await delay(5);
    }
  })();
  try {
    await work();
  } finally {
    running.abort();
    await watch;
  }
  return most - before;
}

test.each(['gateway', 'socket'] as const)(
  'host memory stays flat when bodies of 10 MB are streamed both ways through %s',
  async (way) => {
    const target = way === 'gateway' ? serve.gateway : serve.appSocket('stream');
    const together = async () => {
      await Promise.all(Array.from({ length: 10 }, () => mirror(target)));
    };
    await together();
    const growth = await growthDuring(hostPid, together);
    // Bodies held as a whole would take 100 MB each way, in the host and in the worker.
    expect(growth / MiB).toBeLessThan(80);
  },
);

test('a writer is stopped when nobody reads the answer', async () => {
  const socket = await openRaw(serve.appSocket('stream'));
  socket.pause();
  socket.write(`POST /mirror HTTP/1.1\r\nHost: stream.localhost\r\nContent-Length: ${bodyBytes}\r\n\r\n`);
  let taken = 0;
  const chunk = Buffer.alloc(chunkBytes);
  // Writes until the other side has taken nothing for a while.
  while (taken < bodyBytes) {
    const drained = socket.write(chunk) || (await settles(once(socket, 'drain'), 500));
    if (!drained) break;
    taken += chunkBytes;
  }
  expect(taken).toBeLessThan(bodyBytes / 2);
  socket.destroy();
});

test('an endless response is made only as fast as it is read', async () => {
  const socket = await openRaw(serve.appSocket('stream'));
  socket.pause();
  socket.write('GET /endless HTTP/1.1\r\nHost: stream.localhost\r\n\r\n');
  const sent = async () => {
    const { message } = await openFrom(serve.appSocket('stream'), { path: '/endless?sent' });
    const [chunk] = (await within(15_000, 'the figure', once(message, 'data'))) as [Buffer];
    return (JSON.parse(chunk.toString()) as { sent: number }).sent;
  };
  let last = -1;
  const settled = await eventually(async () => {
    const now = await sent();
    const same = now > 0 && now === last;
    last = now;
    await delay(100);
    return same ? now : null;
  });
  expect(settled).toBeLessThan(5 * MiB);
  socket.destroy();
});

/** Whether `promise` resolves within `ms`. */
async function settles(promise: Promise<unknown>, ms: number): Promise<boolean> {
  return Promise.race([promise.then(() => true), delay(ms, false)]);
}
