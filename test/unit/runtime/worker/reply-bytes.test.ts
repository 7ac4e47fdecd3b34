import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import type { FrameField } from '../../../../runtime/channel/frames.ts';
import { Outbox } from '../../../../runtime/channel/outbox.ts';
import { requestText } from '../../../../runtime/channel/request-text.ts';
import { installFetch } from '../../../../runtime/worker/fetch/install.ts';
import { Invocation } from '../../../../runtime/worker/invocation.ts';
import { BadResponseError, sendResponse } from '../../../../runtime/worker/reply.ts';

installFetch();

function invocation(): Invocation {
  return new Invocation({
    id: 1,
    method: 'GET',
    request: requestText({ requestId: 'id', clientAddress: '', url: 'http://a.test/', headerLines: '' }),
    params: {},
    deadlineAt: performance.now() + 10_000,
    windowBytes: 0,
  });
}

test.each([100, 100_000])('sendResponse sends %i bytes once, and a clone of them', async (size) => {
  const response = new Response(new Uint8Array(size).fill(7));
  const copy = response.clone();
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const outbox = new Outbox(port1);
  const told: string[] = [];
  for (let i = 0; i < 2; i++) {
    try {
      await sendResponse(response, invocation(), outbox);
      told.push('sent');
    } catch (error) {
      expect(error).toBeInstanceOf(BadResponseError);
      expect((error as Error).message).toContain('return its clone()');
      told.push('refused');
    }
  }
  expect(told).toEqual(['sent', 'refused']);
  await sendResponse(copy, invocation(), outbox);
  outbox.flush();
  const sent: Uint8Array[] = [];
  for (let got = receiveMessageOnPort(port2); got !== undefined; got = receiveMessageOnPort(port2)) {
    const batch = got.message as FrameField[];
    for (let i = 0; i < batch.length; i += 7) sent.push(batch[i + 4] as Uint8Array);
  }
  const all = new Uint8Array(size).fill(7);
  expect(sent).toEqual([all, all]);
});

test('sendResponse sends text as often as it is returned', async () => {
  const { port1 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const outbox = new Outbox(port1);
  for (const response of [new Response('short'), new Response('ü'.repeat(50_000))]) {
    for (let i = 0; i < 3; i++) expect(sendResponse(response, invocation(), outbox)).toBe(null);
    expect(await response.text()).toMatch(/^(?:short|ü+)$/);
  }
});
