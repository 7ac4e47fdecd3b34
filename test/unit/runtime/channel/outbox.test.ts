import { setImmediate as turn } from 'node:timers/promises';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import type { FrameField } from '../../../../runtime/channel/frames.ts';
import { Outbox } from '../../../../runtime/channel/outbox.ts';

function opened(options: { answersMax?: number } = {}) {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const outbox = new Outbox(port1, options);
  return {
    outbox,
    answer: (id: number) => {
      outbox.open().push(id);
      outbox.answered();
    },
    /** The messages that have left so far. */
    left: () => {
      const messages: FrameField[][] = [];
      for (let got = receiveMessageOnPort(port2); got !== undefined; got = receiveMessageOnPort(port2)) {
        messages.push(got.message as FrameField[]);
      }
      return messages;
    },
  };
}

test('frames leave together after the poll phase', async () => {
  const { outbox, left } = opened();
  outbox.push(1, 'a');
  await Promise.resolve();
  outbox.push(2);
  outbox.open().push(3);
  outbox.soon();
  expect(left()).toEqual([]);
  await turn();
  await turn();
  expect(left()).toEqual([[1, 'a', 2, 3]]);
});

test('answers leave together behind the microtasks that wait, with what was there before', async () => {
  const { outbox, answer, left } = opened();
  outbox.push(0);
  for (const id of [1, 2, 3]) void Promise.resolve(id).then(answer);
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  expect(left()).toEqual([[0, 1, 2, 3]]);
  await turn();
  await turn();
  expect(left()).toEqual([]);
});

test('as many answers as may be in one message leave at once', async () => {
  const { answer, left } = opened({ answersMax: 2 });
  for (const id of [1, 2, 3, 4, 5]) answer(id);
  expect(left()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  await Promise.resolve();
  expect(left()).toEqual([[5]]);
});

test('many bytes are moved with the frame that has them, and few are copied', () => {
  const { outbox, left } = opened({ answersMax: 1 });
  const [few, many] = [new Uint8Array(10).fill(1), new Uint8Array(100_000).fill(2)];
  outbox.push(1, outbox.bytes(few), 2, outbox.bytes(many));
  outbox.move(few);
  outbox.move(many);
  outbox.open().push(3, few, many);
  outbox.answered();
  expect([few.byteLength, many.byteLength]).toEqual([10, 0]);
  const copy = new Uint8Array(100_000).fill(2);
  expect(left()).toEqual([[1, few, 2, copy, 3, few, copy]]);
});

test('a closed outbox drops what comes', async () => {
  const { outbox, answer, left } = opened();
  outbox.push(1);
  outbox.close();
  answer(2);
  outbox.push(3);
  await turn();
  await turn();
  expect(left()).toEqual([]);
});
