import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { within } from '../../support/deadline.ts';
import { startHost } from '../../support/host.ts';
import { openRaw } from '../../support/raw-http.ts';

const handler = `
  export const config = { timeoutMs: 15_000 };
  export default async (request, ctx) => {
    const { searchParams } = new URL(request.url);
    if (searchParams.has('wait')) { console.log('waits'); await new Promise((resolve) => setTimeout(resolve, 1000)); }
    if (searchParams.has('large')) return new Response('x'.repeat(8_000_000), { headers: { 'x-release': ctx.release } });
    return new Response(request.method + ' ' + ctx.release + ' ' + (await request.text()));
  }`;

const get = (path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n';
const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';

/** Collects what a server says on one connection. */
function listen(socket: Socket): { until: (pattern: RegExp, options?: { bytes?: number }) => Promise<void> } {
  let text = '';
  let look = (): void => {};
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    look();
  });
  // The last bytes are enough to look at: some responses are large.
  const until = (pattern: RegExp, { bytes = 0 }: { bytes?: number } = {}): Promise<void> => {
    const seen = new Promise<void>((resolve, reject) => {
      look = () => text.length >= bytes && pattern.test(text.slice(-2_000)) && resolve();
      socket.once('close', () => reject(new Error(`closed before ${pattern}; it said: ${text.slice(0, 500)}`)));
      look();
    });
    return within(15_000, String(pattern), seen);
  };
  return { until };
}

test('connections in every state live through a change of the process, and lose no byte', async () => {
  const { target, deploy, logged, host } = await startHost();
  await deploy({ '/': handler });
  const open = async (bytes: string, seen: RegExp | null = null) => {
    const socket = await openRaw(target);
    const { until } = listen(socket);
    if (bytes !== '') socket.write(bytes);
    if (seen !== null) await until(seen);
    return { socket, until };
  };
  const states = {
    fresh: await open(''),
    idle: await open(get(), /GET r1/),
    idleOfNode: await open(chunked, /POST r1 hello/),
    halfHead: await open('GET / HTTP/1.1\r\nHo'),
    halfBody: await open(`${post}01234`),
    halfChunked: await open('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'),
    waiting: await open(get('/?wait')),
    pipelined: await open(`${get('/?wait')}${get('/?second')}${get('/?third')}`),
  };
  // Takes nothing of a response that the kernel cannot hold.
  const slow = await openRaw(target);
  slow.pause();
  slow.write(get('/?large'));
  await logged((record) => record.message === 'waits');

  const { pid } = host.status();
  await deploy({ '/': handler }, { permissions: { wasi: true } });
  expect(host.status().pid).not.toBe(pid);

  states.halfHead.socket.write('st: a\r\n\r\n');
  states.halfBody.socket.write('56789');
  states.halfChunked.socket.write('2\r\nde\r\n0\r\n\r\n');
  await states.halfHead.until(/GET r[12]/);
  await states.halfBody.until(/POST r[12] 0123456789/);
  await states.halfChunked.until(/POST r[12] abcde/);
  await states.waiting.until(/GET r1/);
  await states.pipelined.until(/GET r1[^]*GET r1[^]*GET r1/);
  const { until: untilSlow } = listen(slow);
  slow.resume();
  await untilSlow(/xxx$/, { bytes: 8_000_000 });

  for (const [state, { socket, until }] of [
    ...Object.entries(states),
    ['slow', { socket: slow, until: untilSlow }] as const,
  ]) {
    socket.write(get());
    await until(/GET r2 $/).catch((error: unknown) => {
      throw new Error(`${state}: ${(error as Error).message.slice(0, 300)}`, { cause: error });
    });
    socket.destroy();
  }
});
