import { MessageChannel } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { workerLimits } from '../contract/limits.ts';

/** A worker thread that waits for, or serves, one function. Used once: it ends with its work. */
export interface Thread {
  readonly port: MessagePort;
  /** Resolves with the reason when the thread is gone. */
  readonly ended: Promise<string>;
  /** Ends the thread, whatever it is doing in JavaScript. Resolves like `ended`. */
  terminate(reason: string): Promise<string>;
}

/** The threads of one app host. Piscina starts, watches and ends them. */
export interface ThreadPool {
  /** A thread with this much V8 heap: from the warm reserve when it has one, else new; null at `threadsMax`. */
  take(memoryMb: number): Thread | null;
  readonly size: number;
  readonly idle: number;
  /** Ends all threads. */
  close(): Promise<void>;
}

/** What a pool is made of. */
export interface ThreadPoolOptions {
  /** Absolute path of the worker's entry. */
  workerFile: string;
  /** @default workerLimits.reserve */
  reserve?: number;
  /** @default workerLimits.threadsMax */
  threadsMax?: number;
  /** Called when a thread that was told to end has not ended within `workerLimits.terminateMs`. */
  onStuck: (reason: string) => void;
}

/**
 * Every thread runs a single task for its whole life, so that the reserve (parked tasks) and
 * assignment are ours, while starting, crashing and ending stay piscina's.
 */
export function createThreadPool(options: ThreadPoolOptions): ThreadPool {
  const { workerFile, reserve = workerLimits.reserve, threadsMax = workerLimits.threadsMax, onStuck } = options;
  const pools = new Map<number, Piscina>();
  const parked: Thread[] = [];
  const threads = new Set<Thread>();
  let closed = false;
  let refillQueued = false;

  const poolOf = (memoryMb: number): Piscina => {
    let pool = pools.get(memoryMb);
    if (pool === undefined) {
      pool = new Piscina({
        filename: workerFile,
        minThreads: 0,
        maxThreads: threadsMax + 1,
        maxQueue: threadsMax,
        idleTimeout: 0,
        concurrentTasksPerWorker: 1,
        atomics: 'disabled',
        recordTiming: false,
        workerHistogram: false,
        env: {},
        resourceLimits: {
          maxOldGenerationSizeMb: memoryMb,
          maxYoungGenerationSizeMb: workerLimits.youngGenerationMb,
        },
      });
      // Errors of threads without a task; ours always have one.
      pool.on('error', () => {});
      pools.set(memoryMb, pool);
    }
    return pool;
  };

  const start = (memoryMb: number): Thread => {
    const { port1, port2 } = new MessageChannel();
    const controller = new AbortController();
    const closedPort = new Promise<void>((resolve) => port1.once('close', () => resolve()));
    const task = poolOf(memoryMb).run({ port: port2 }, { transferList: [port2] as never, signal: controller.signal });
    let reason = '';
    const failed = task.then(
      () => 'the thread returned',
      (error: unknown) => (reason !== '' ? reason : describeEnd(error)),
    );
    const ended = Promise.all([failed, closedPort]).then(([why]) => {
      threads.delete(thread);
      const at = parked.indexOf(thread);
      if (at >= 0) parked.splice(at, 1);
      return why;
    });
    const thread: Thread = {
      port: port1,
      ended,
      terminate(why) {
        if (!controller.signal.aborted) {
          reason = why;
          controller.abort();
          const timer = setTimeout(() => onStuck(why), workerLimits.terminateMs);
          void ended.then(() => clearTimeout(timer));
        }
        return ended;
      },
    };
    // A task that dies before its thread took the port leaves this end with us: closing it closes the other.
    void failed.then(() => port2.close());
    threads.add(thread);
    return thread;
  };

  // Off the request path: the thread just taken starts first.
  const refill = (): void => {
    if (refillQueued || closed) return;
    refillQueued = true;
    setImmediate(() => {
      refillQueued = false;
      while (!closed && parked.length < reserve && threads.size < threadsMax) parked.push(start(workerLimits.memoryMb));
    });
  };
  refill();

  return {
    take(memoryMb) {
      const warm = memoryMb === workerLimits.memoryMb ? parked.shift() : undefined;
      const thread = warm ?? (threads.size < threadsMax ? start(memoryMb) : null);
      refill();
      return thread;
    },
    get size() {
      return threads.size;
    },
    get idle() {
      return parked.length;
    },
    async close() {
      closed = true;
      await Promise.all([...threads].map((thread) => thread.terminate('the host stops')));
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

function describeEnd(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return 'the worker reached its memory limit (memoryMb)';
  const exit = /^worker exited with code: (-?\d+)$/.exec(error.message);
  return exit === null ? error.message : `the handler ended its thread (process.exit, code ${exit[1]})`;
}
