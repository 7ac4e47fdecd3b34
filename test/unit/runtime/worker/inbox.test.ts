import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { toHost, toWorker } from '../../../../runtime/channel/frames.ts';
import type { FrameField } from '../../../../runtime/channel/frames.ts';
import { Outbox } from '../../../../runtime/channel/outbox.ts';
import { Inbox } from '../../../../runtime/worker/inbox.ts';
import { within } from '../../../support/deadline.ts';

const invoke = (id: number): FrameField[] => [toWorker.invoke, id, 0, 'rhttp://a/', 1, 1, 10, null, null, 1_000];

/** An inbox whose handlers compute for `ms` and answer with their id; what leaves arrives in `batches`. */
function started(ms: number): {
  inbox: Inbox;
  handled: number[];
  batches: FrameField[][];
  until: (n: number) => Promise<void>;
  end: () => void;
} {
  const { port1, port2 } = new MessageChannel();
  const outbox = new Outbox(port1);
  const handled: number[] = [];
  const batches: FrameField[][] = [];
  port2.on('message', (batch: FrameField[]) => batches.push(batch));
  const inbox = new Inbox({
    outbox,
    isRunning: () => false,
    abort: () => {},
    handle(batch, at) {
      if (batch[at] !== toWorker.invoke) return;
      const end = performance.now() + ms;
      while (performance.now() < end);
      handled.push(batch[at + 1] as number);
      outbox.push(toHost.settled, batch[at + 1] as number);
    },
  });
  const until = async (count: number): Promise<void> => {
    while (batches.flat().length < count * 2) await within(15_000, 'the answers', once(port2, 'message'));
  };
  return { inbox, handled, batches, until, end: () => port1.close() };
}

test('an inbox lets each answer of handlers that compute leave before the next one begins', async () => {
  const { inbox, handled, batches, until, end } = started(3);
  inbox.receive([1, 2, 3, 4].flatMap(invoke));
  expect(handled).toEqual([1]);
  inbox.receive(invoke(5));
  await until(5);
  expect(handled).toEqual([1, 2, 3, 4, 5]);
  expect(batches.length).toBeGreaterThanOrEqual(4);
  end();
});

test('an inbox does not begin what was aborted before its turn, and says so at once', async () => {
  const { inbox, handled, batches, until, end } = started(3);
  inbox.receive([1, 2, 3].flatMap(invoke));
  inbox.receive([toWorker.abort, 3, 0, ...invoke(4)]);
  await until(5);
  expect(handled).toEqual([1, 2, 4]);
  const told = batches.flat();
  expect(told.slice(0, 6)).toEqual([toHost.settled, 1, toHost.aborted, 3, toHost.settled, 3]);
  end();
});

test('an inbox forgets aborts of what was over when they came', async () => {
  const { inbox, handled, until, end } = started(3);
  inbox.receive([1, 2].flatMap(invoke));
  inbox.receive([toWorker.abort, 1, 0]);
  await until(4);
  // The same id would never come again: that it is not remembered shows in this way only.
  inbox.receive(invoke(1));
  expect(handled).toEqual([1, 2, 1]);
  end();
});
