/**
 * The least that an answer from another thread costs: a main thread that reads nothing of a request but its path, one thread
 * for each function that makes the JSON fixture's body, and messages between them in batches of one turn of the event
 * loop. No limits, no deadlines, no parser: nothing to serve people with.
 * `bare-threads.ts COUNT [--socket PATH]`; `/fN` is answered by the Nth thread, everything else by the first.
 */
import { chmod } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

interface BareThread {
  worker: Worker;
  batch: (number | string)[];
}

if (isMainThread) await serve();
else answer();

async function serve(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { socket: { type: 'string' } } });
  const waiting = new Map<number, Socket>();
  let requests = 0;
  let full: BareThread[] = [];
  const flush = (): void => {
    const sending = full;
    full = [];
    for (const thread of sending) {
      const { batch } = thread;
      thread.batch = [];
      thread.worker.postMessage(batch);
    }
  };
  const threads = Array.from({ length: Number(positionals[0]) }, (): BareThread => {
    const worker = new Worker(import.meta.filename);
    worker.on('message', (batch: (number | string)[]) => {
      for (let i = 0; i < batch.length; i += 2) {
        const socket = waiting.get(batch[i] as number)!;
        waiting.delete(batch[i] as number);
        const body = batch[i + 1] as string;
        const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
        socket.write(head + body, 'latin1');
      }
    });
    return { worker, batch: [] };
  });
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      const head = bytes.toString('latin1');
      const thread = threads[Number(/^GET \/f(\d+) /.exec(head)?.[1] ?? 0)]!;
      const id = requests++;
      waiting.set(id, socket);
      if (full.length === 0) setImmediate(flush);
      if (thread.batch.length === 0) full.push(thread);
      thread.batch.push(id, head);
    });
  });
  const { socket } = values;
  const listening = Promise.withResolvers<void>();
  server.listen(socket ?? { port: 0, host: '127.0.0.1' }, listening.resolve);
  await listening.promise;
  // The workers of nginx run as somebody else.
  if (socket !== undefined) await chmod(socket, 0o666);
  console.log(socket ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  process.stdin.on('end', () => process.exit(0)).resume();
}

function answer(): void {
  let replies: (number | string)[] = [];
  const flush = (): void => {
    const sending = replies;
    replies = [];
    parentPort!.postMessage(sending);
  };
  parentPort!.on('message', (batch: (number | string)[]) => {
    for (let i = 0; i < batch.length; i += 2) {
      if (replies.length === 0) setImmediate(flush);
      replies.push(batch[i]!, JSON.stringify({ message: 'hello', items: [1, 2, 3] }));
    }
  });
}
