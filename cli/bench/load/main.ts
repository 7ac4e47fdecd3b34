/** A thread that offers load, or one that paces it: entry point of its own. */
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { LoadOrder, ThreadData } from './messages.ts';
import { pace } from './pacer.ts';
import { runLoad, type RunLoadOptions } from './run-load.ts';

const data = workerData as ThreadData;
if (data.kind === 'pacer') pace(data.options, () => parentPort!.postMessage(null));
else parentPort!.on('message', (order: LoadOrder) => void runLoad(order, { ticks }).then(answer));

function answer(result: unknown): void {
  parentPort!.postMessage(result);
}

/** Ticks from a thread of its own, which sleeps in between. */
async function ticks(...[options, tick, signal]: Parameters<RunLoadOptions['ticks']>): Promise<void> {
  const workerData: ThreadData = { kind: 'pacer', options };
  const pacer = new Worker(new URL(import.meta.url), { workerData });
  pacer.on('message', tick);
  await new Promise<void>((resolve, reject) => {
    pacer.once('error', reject);
    pacer.once('exit', () => resolve());
    signal.addEventListener('abort', () => void pacer.terminate(), { once: true });
  });
}
