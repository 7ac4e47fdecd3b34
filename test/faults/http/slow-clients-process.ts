import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What the process is told: whom to bother, and how. */
export interface SlowOrder {
  at: NetConnectOpts;
  /** Clients of each kind. */
  each: number;
  /** Between two bytes of one client. */
  everyMs: number;
  /** They come one after the other, within this time: what is asked is what they hold, not what a rush costs. */
  overMs: number;
}

/** What came of it. */
export interface SlowResult {
  /** By kind and what the server said, for example `head 408`; `nothing` where it closed without a word. */
  answers: Record<string, number>;
  longestMs: number;
}

// Clients in a process of their own: what they cost must not be taken for what the server does.
const kinds = {
  head: ['GET /slow HTTP/1.1\r\nHost: slow.localhost\r\nX-A: ', 'a'],
  body: ['POST /slow HTTP/1.1\r\nHost: slow.localhost\r\nContent-Length: 1000\r\n\r\n', 'b'],
  'large body': ['POST /slow HTTP/1.1\r\nHost: slow.localhost\r\nContent-Length: 100000\r\n\r\n', 'b'],
  chunks: ['POST /slow HTTP/1.1\r\nHost: slow.localhost\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\nc\r\n'],
} as const;

process.once('message', ({ at, each, everyMs, overMs }: SlowOrder) => {
  const all = Object.keys(kinds).flatMap((kind) => Array.from({ length: each }, () => kind as keyof typeof kinds));
  const clients = all.map(async (kind, index) => {
    await delay((overMs * index) / all.length);
    return slowClient(kind, { at, everyMs });
  });
  void Promise.all(clients).then((ended) => {
    const answers: Record<string, number> = {};
    for (const { answer } of ended) answers[answer] = (answers[answer] ?? 0) + 1;
    process.send?.({ answers, longestMs: Math.max(...ended.map(({ ms }) => ms)) } satisfies SlowResult);
    process.disconnect?.();
  });
});

function slowClient(
  kind: keyof typeof kinds,
  { at, everyMs }: Pick<SlowOrder, 'at' | 'everyMs'>,
): Promise<{ answer: string; ms: number }> {
  const startedAt = performance.now();
  const [start, byte] = kinds[kind];
  const socket: Socket = connect(at);
  let text = '';
  socket.write(start);
  // After what has come was read: to write on a connection that the other side has closed would throw it away.
  const drip = setInterval(() => setImmediate(() => text === '' && socket.write(byte)), everyMs);
  return new Promise((resolve) => {
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      clearInterval(drip);
    });
    // A reset is an end too; what came before counts.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(drip);
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 'nothing';
      resolve({ answer: `${kind} ${status}`, ms: performance.now() - startedAt });
    });
  });
}
