import { setImmediate as turn } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { toHost } from '../../../../runtime/channel/frames.ts';
import type { FrameField } from '../../../../runtime/channel/frames.ts';
import { Outbox } from '../../../../runtime/channel/outbox.ts';
import { requestText } from '../../../../runtime/channel/request-text.ts';
import { partsOf } from '../../../../runtime/channel/response-start.ts';
import { httpLimits } from '../../../../runtime/contract/limits.ts';
import { Invocation } from '../../../../runtime/worker/invocation.ts';
import { BadResponseError, sendResponse } from '../../../../runtime/worker/reply.ts';

/** An invocation, and the opcodes of what the host gets of it. */
function invoked(): { invocation: Invocation; outbox: Outbox; opcodes: number[] } {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const opcodes: number[] = [];
  const lengths: Record<number, number> = { [toHost.respond]: 7, [toHost.chunk]: 3, [toHost.end]: 3 };
  port2.on('message', (batch: FrameField[]) => {
    for (let i = 0; i < batch.length; i += lengths[batch[i] as number]!) opcodes.push(batch[i] as number);
  });
  const invocation = new Invocation({
    id: 1,
    method: 'GET',
    request: requestText({ requestId: 'id', clientAddress: '', url: 'http://a.test/', headerLines: '' }),
    params: {},
    deadlineAt: performance.now() + 10_000,
    windowBytes: httpLimits.streamWindowBytes,
  });
  return { invocation, outbox: new Outbox(port1), opcodes };
}

test('sendResponse counts a chunk for more than its bytes: single bytes fill the window soon', async () => {
  const { invocation, outbox, opcodes } = invoked();
  const body = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1)) });
  const sent = sendResponse(new Response(body), invocation, outbox);
  while (invocation.credit > 0 || opcodes.length === 0) await turn();
  const chunks = opcodes.filter((opcode) => opcode === toHost.chunk).length;
  expect(chunks).toBeGreaterThan(100);
  expect(chunks).toBeLessThanOrEqual(httpLimits.streamWindowBytes / httpLimits.chunkOverheadBytes);
  invocation.abort(0);
  await sent;
});

test('sendResponse refuses an object like a response whose status text or headers would forge a line', async () => {
  const like = (own: object): object => ({ status: 200, headers: new Map(), body: null, ...own });
  const proxied = (name: string, value: unknown): object =>
    new Proxy(new Response('a'), { get: (on, key) => (key === name ? value : (Reflect.get(on, key, on) as unknown)) });
  for (const returned of [
    like({ statusText: 'OK\r\nx-forged: 1' }),
    proxied('statusText', 'OK\r\nx-forged: 1'),
    proxied('status', '200 OK\r\nx-forged: 1'),
    proxied('headers', new Map([['x-a', '1\r\nx-forged: 1']])),
  ]) {
    const { invocation, outbox } = invoked();
    await expect(sendResponse(returned, invocation, outbox)).rejects.toThrow(BadResponseError);
  }
});

test('sendResponse tells the framing of a body once, however the names of its headers are written', async () => {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const heads = new Promise<string>((resolve) => {
    port2.on('message', (batch: FrameField[]) => resolve(partsOf(batch[3] as string).headerLines));
  });
  const headers = new Map([
    ['Transfer-Encoding', 'chunked'],
    ['Content-Length', '1'],
    ['X-Request-Id', 'forged'],
  ]);
  const proxied = new Proxy(new Response('a'), {
    get: (on, key) => (key === 'headers' ? headers : (Reflect.get(on, key, on) as unknown)),
  });
  await sendResponse(proxied, invoked().invocation, new Outbox(port1));
  expect(await heads).toBe('x-request-id: id\r\ncontent-length: 1\r\n');
});
