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

test.each([
  ['small', 100, ['sent', 'sent']],
  ['large', 100_000, ['sent', 'refused']],
])('sendResponse sends %s bytes: %i', async (_what, size, expected) => {
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
  expect(told).toEqual(expected);
  await sendResponse(copy, invocation(), outbox);
  outbox.flush();
  const sent: Uint8Array[] = [];
  for (let got = receiveMessageOnPort(port2); got !== undefined; got = receiveMessageOnPort(port2)) {
    const batch = got.message as FrameField[];
    for (let i = 0; i < batch.length; i += 7) sent.push(batch[i + 4] as Uint8Array);
  }
  const all = new Uint8Array(size).fill(7);
  expect(sent).toEqual(expected.includes('refused') ? [all, all] : [all, all, all]);
});
