import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { CpuQueue } from '../../../../runtime/host/cpu-queue.ts';
import type { Thread } from '../../../../runtime/pool/thread-pool.ts';

/** Computes for ever, or waits. */
const source = `
  const { parentPort, workerData } = require('node:worker_threads');
  parentPort.postMessage(Number(require('node:fs').readlinkSync('/proc/thread-self').split('/').at(-1)));
  if (workerData) setImmediate(() => { for (;;); });
  else parentPort.on('message', () => {});
`;

async function start(computes: boolean): Promise<{ thread: Thread; worker: Worker }> {
  const worker = new Worker(source, { eval: true, workerData: computes });
  const [tid] = (await once(worker, 'message')) as [number];
  return { thread: { tid } as Thread, worker };
}

test('threads that stand in line for the cores are told from one that waits for something else', async () => {
  const waiting = await start(false);
  const computing = await Promise.all(Array.from({ length: 3 * availableParallelism() }, () => start(true)));
  const threads = computing.map(({ thread }) => thread);
  try {
    const queue = new CpuQueue();
    // Nothing is known yet: nobody gets a thread for it.
    expect([queue.isLong([waiting.thread], performance.now()), queue.isLong(threads, performance.now())]).toEqual([
      true,
      true,
    ]);
    await delay(300);
    expect([queue.isLong([waiting.thread], performance.now()), queue.isLong(threads, performance.now())]).toEqual([
      false,
      true,
    ]);
    // Asked again too soon to tell.
    expect(queue.isLong([waiting.thread], performance.now())).toBe(true);
  } finally {
    await Promise.all([waiting, ...computing].map(({ worker }) => worker.terminate()));
  }
});

test('where a thread has no number nobody is held back', () => {
  expect(new CpuQueue().isLong([{ tid: null } as Thread], performance.now())).toBe(false);
});
