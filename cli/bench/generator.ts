import { once } from 'node:events';
import { createHistogram } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { entryPoint } from '../../runtime/entry-points.ts';
import type { LoadOrder, LoadResult, ThreadData } from './load/messages.ts';

/** Threads of this process that offer load together. */
export interface Generator extends AsyncDisposable {
  /** Offers `order`, split among them. One at a time. Rejects when `signal` aborts. */
  offer(order: LoadOrder, options: { signal: AbortSignal }): Promise<LoadResult>;
}

/** Starts `threads` of them. */
export function createGenerator({ threads }: { threads: number }): Generator {
  const workerData: ThreadData = { kind: 'load' };
  const workers = Array.from(
    { length: threads },
    () => new Worker(entryPoint('cli/bench/load/main.js'), { workerData }),
  );
  return {
    async offer(order, { signal }) {
      const parts = workers.map(async (worker, index) => {
        worker.postMessage(partOf(order, { index, of: threads }));
        const [result] = (await once(worker, 'message', { signal })) as [LoadResult];
        return result;
      });
      return merge(await Promise.all(parts));
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** What one of several threads offers of the whole. */
function partOf(order: LoadOrder, { index, of }: { index: number; of: number }): LoadOrder {
  const connections = Math.max(1, Math.floor(order.connections / of) + (index < order.connections % of ? 1 : 0));
  const requestsPerSecond = order.requestsPerSecond === null ? null : order.requestsPerSecond / of;
  return { ...order, connections, requestsPerSecond, waitingMax: Math.ceil(order.waitingMax / of) };
}

function merge(results: readonly LoadResult[]): LoadResult {
  const whole = { latency: createHistogram(), lag: createHistogram(), outcomes: {} as Record<string, number> };
  const sum = (pick: (result: LoadResult) => number): number => results.reduce((total, one) => total + pick(one), 0);
  for (const { latency, lag, outcomes } of results) {
    whole.latency.add(latency);
    whole.lag.add(lag);
    for (const [name, count] of Object.entries(outcomes)) whole.outcomes[name] = (whole.outcomes[name] ?? 0) + count;
  }
  return {
    ...whole,
    offered: sum((one) => one.offered),
    good: sum((one) => one.good),
    mostWaiting: sum((one) => one.mostWaiting),
    utilization: Math.max(...results.map((one) => one.utilization)),
  };
}
