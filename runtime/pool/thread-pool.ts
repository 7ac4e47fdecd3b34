import { setPriority } from 'node:os';
import { MessageChannel } from 'node:worker_threads';
import type { MessagePort, Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ToHostControl } from '../channel/frames.ts';
import { hostLimits, workerLimits } from '../contract/limits.ts';
import { endReasons } from './end-reasons.ts';
import { Reserve } from './reserve.ts';
import { setFirstSemiSpace } from './semi-space.ts';
import { threadCap } from './thread-cap.ts';
import type { ThreadCapOptions } from './thread-cap.ts';

/** A worker thread that waits for, or serves, one function. Used once: it ends with its work. */
export interface Thread {
  readonly port: MessagePort;
  /** The thread's id in the kernel; null until it runs, and where that cannot be known. */
  readonly tid: number | null;
  /**
   * Time that the thread's event loop was at work, blocked included, in ms since it started; 0 until it runs.
   * Costs 1 µs and asks nothing of the thread.
   */
  activeMs(): number;
  /** Makes the thread go behind others for the CPU, or beside them again where that is allowed. Linux. */
  setNice(nice: boolean): void;
  /** What it serves needs all of fetch: threads that are started from now on load it while they are parked. */
  needsFetch(): void;
  /** What must be done before an idle thread ends in good order; resolves when it may. Null: nothing. */
  beforeEnd: (() => Promise<void> | null) | null;
  /** Resolves with the reason when the thread is gone. */
  readonly ended: Promise<string>;
  /** Ends the thread, whatever it is doing in JavaScript. Resolves like `ended`. */
  terminate(reason: string): Promise<string>;
}

/** What a pool is made of. */
export interface ThreadPoolOptions extends ThreadCapOptions {
  /** Absolute path of the worker's entry. */
  workerFile: string;
  /** Idle threads kept warm. @default workerLimits.reserveMin, workerLimits.reserveMax */
  reserve?: { min: number; max: number };
  /** Called when a thread that was told to end has not ended within `workerLimits.terminateMs`. */
  onStuck: (reason: string) => void;
}

/**
 * The threads of one app host. Every thread runs a single piscina task for its whole life,
 * so that the reserve (parked tasks) and assignment are ours, while starting, crashing and
 * ending stay piscina's.
 */
export class ThreadPool {
  readonly #options: ThreadPoolOptions;
  /** Threads at most, but for urgent ones. */
  readonly max: number;
  readonly #reserve: Reserve;
  /** One piscina for each heap size: resource limits are set when a thread starts. */
  readonly #pools = new Map<number, Piscina>();
  readonly #threads = new Set<Thread>();
  readonly #parked: Thread[] = [];
  /** Threads that have not run yet, in the order in which they were started. */
  readonly #starting = new Set<Thread>();
  /** Threads that were not told to end, with their piscina. */
  readonly #untold = new Map<Thread, Piscina>();
  #preloadFetch = false;
  #closed = false;
  #refillTimer: NodeJS.Timeout | null = null;
  /** Threads in a row that ended before they ran anything: no memory, no file handles, no worker file. */
  #startFailures = 0;
  #holdTimer: NodeJS.Timeout | null = null;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    this.max = threadCap(options);
    const { reserveMin, reserveMax, reserveIdleMs } = workerLimits;
    const { min, max } = options.reserve ?? { min: reserveMin, max: reserveMax };
    this.#reserve = new Reserve({ min, max, idleMs: reserveIdleMs, onShrink: () => this.#shrink() });
    this.#fill();
  }

  get size(): number {
    return this.#threads.size;
  }

  get idle(): number {
    return this.#parked.length;
  }

  /** Whether a thread can be had. */
  get hasRoom(): boolean {
    return !this.#closed && (this.#parked.length > 0 || this.#threads.size < this.max);
  }

  /** Whether the reserve can be full and no thread too many. */
  get crowded(): boolean {
    return this.#threads.size - this.#parked.length + this.#reserve.size > this.max;
  }

  /**
   * A thread with this much V8 heap: from the reserve when it has one, else new; null at `max`,
   * which `urgent` may exceed by `threadsUrgent`.
   */
  take(memoryMb: number, { urgent = false }: { urgent?: boolean } = {}): Thread | null {
    const warm = memoryMb === workerLimits.memoryMb ? this.#parked.shift() : undefined;
    const thread = warm ?? (this.#hasRoom(urgent ? workerLimits.threadsUrgent : 0) ? this.#start(memoryMb) : null);
    // A deployment comes alone: its threads are no sign of more to come.
    if (memoryMb === workerLimits.memoryMb && !urgent) this.#reserve.demand();
    this.#refill(workerLimits.refillDelayMs);
    return thread;
  }

  /** Starts no thread for the reserve until `release`, or for `refillHeldMs`: a deployment needs the CPUs. */
  hold(): void {
    if (this.#holdTimer !== null) clearTimeout(this.#holdTimer);
    this.#holdTimer = setTimeout(() => this.release(), workerLimits.refillHeldMs);
    this.#holdTimer.unref();
  }

  release(): void {
    if (this.#holdTimer !== null) clearTimeout(this.#holdTimer);
    this.#holdTimer = null;
    this.#refill(0);
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#reserve.close();
    if (this.#holdTimer !== null) clearTimeout(this.#holdTimer);
    if (this.#refillTimer !== null) clearTimeout(this.#refillTimer);
    const end = async (thread: Thread): Promise<void> => {
      await thread.beforeEnd?.();
      await thread.terminate(endReasons.hostStops);
    };
    await Promise.all([...this.#threads].map(end));
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }

  #hasRoom(beyond = 0): boolean {
    return !this.#closed && this.#threads.size < this.max + beyond;
  }

  /** Off the request path: the thread just taken starts its work first. */
  #refill(delayMs: number): void {
    if (this.#refillTimer !== null || this.#closed || this.#holdTimer !== null) return;
    const { restartBackoffMinMs, restartBackoffMaxMs } = hostLimits;
    const failures = this.#startFailures;
    const pauseMs = failures === 0 ? 0 : Math.min(restartBackoffMaxMs, restartBackoffMinMs * 2 ** (failures - 1));
    this.#refillTimer = setTimeout(
      () => {
        this.#refillTimer = null;
        if (this.#holdTimer === null) this.#fill();
      },
      Math.max(delayMs, pauseMs),
    );
  }

  #fill(): void {
    while (this.#parked.length < this.#reserve.size && this.#hasRoom()) {
      this.#parked.push(this.#start(workerLimits.memoryMb));
    }
  }

  #shrink(): void {
    for (const thread of this.#parked.splice(this.#reserve.size)) void thread.terminate('the reserve shrinks');
  }

  #start(memoryMb: number): Thread {
    const { port1, port2 } = new MessageChannel();
    const controller = new AbortController();
    const portClosed = new Promise<void>((resolve) => port1.once('close', () => resolve()));
    const transferList = [port2] as never;
    const pool = this.#poolOf(memoryMb);
    const { roomyThreads, roomySemiSpaceMb, semiSpaceMb } = workerLimits;
    const isRoomy = (this.#options.appMemoryMb ?? Infinity) >= hostLimits.roomyFromMb;
    setFirstSemiSpace(isRoomy && this.#threads.size < roomyThreads ? roomySemiSpaceMb : semiSpaceMb);
    // In a promise: where no thread can be made, this may throw.
    const task = (async () =>
      pool.run({ port: port2, preloadFetch: this.#preloadFetch }, { transferList, signal: controller.signal }))();
    let reason = '';
    const failed = task.then(
      () => 'the thread returned',
      (error: unknown) => (reason === '' ? describeEnd(error) : reason),
    );
    // A task that dies before its thread took the port leaves this end with us: closing it closes the other.
    void failed.then(() => port2.close());
    // Piscina forgets a thread when it tells it to end; only the port tells when it has.
    const ended = Promise.all([failed, portClosed]).then(([why]) => {
      clearTimeout(startTimer);
      if (this.#starting.delete(thread) && !controller.signal.aborted) this.#startFailures++;
      this.#forget(thread);
      return why;
    });
    let tid: number | null = null;
    let worker: Worker | undefined;
    // Its first message. A port with an unread one would never tell that it was closed.
    port1.once('message', (message: ToHostControl) => {
      if (message.type !== 'thread') return;
      clearTimeout(startTimer);
      this.#starting.delete(thread);
      this.#startFailures = 0;
      tid = message.tid;
      // Which of piscina's threads took the task is known to that thread alone.
      worker = pool.threads.find((one) => one.threadId === message.threadId);
    });
    const thread: Thread = {
      port: port1,
      get tid() {
        return tid;
      },
      beforeEnd: null,
      needsFetch: () => {
        this.#preloadFetch = true;
      },
      setNice: (nice) => {
        if (tid !== null) setNiceness(tid, nice ? workerLimits.niceness : 0);
      },
      activeMs: () => worker?.performance.eventLoopUtilization().active ?? 0,
      ended,
      terminate: (why) => {
        if (controller.signal.aborted) return ended;
        reason = why;
        this.#untold.delete(thread);
        controller.abort();
        const timer = setTimeout(() => this.#options.onStuck(why), workerLimits.terminateMs);
        void ended.then(() => clearTimeout(timer));
        return ended;
      },
    };
    const startTimer = setTimeout(() => thread.terminate('it did not start in time'), workerLimits.threadStartMs);
    startTimer.unref();
    this.#threads.add(thread);
    this.#starting.add(thread);
    this.#untold.set(thread, pool);
    return thread;
  }

  #forget(thread: Thread): void {
    this.#threads.delete(thread);
    this.#untold.delete(thread);
    const at = this.#parked.indexOf(thread);
    if (at >= 0) this.#parked.splice(at, 1);
    this.#refill(0);
  }

  #poolOf(memoryMb: number): Piscina {
    const known = this.#pools.get(memoryMb);
    if (known !== undefined) return known;
    const pool = new Piscina({
      filename: this.#options.workerFile,
      minThreads: 0,
      // More than ours: an ended thread is counted there a moment longer.
      maxThreads: this.max + workerLimits.threadsUrgent + 1,
      maxQueue: this.max + workerLimits.threadsUrgent,
      idleTimeout: 0,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
      recordTiming: false,
      workerHistogram: false,
      env: userEnv(),
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: workerLimits.youngGenerationMb },
    });
    // Told of a thread that died without a task. If it was to take one, piscina keeps that for a thread that never comes.
    pool.on('error', (error: Error) => {
      const ours = [...this.#untold].filter(([, of]) => of === pool).map(([thread]) => thread);
      if (ours.length <= pool.threads.length) return;
      this.#startFailures++;
      void ours.find((thread) => this.#starting.has(thread))?.terminate(`it cannot start: ${error.message}`);
    });
    this.#pools.set(memoryMb, pool);
    return pool;
  }
}

function setNiceness(tid: number, niceness: number): void {
  try {
    setPriority(tid, niceness);
  } catch {
    // It has ended, or only root may raise a priority: then it stays as it is.
  }
}

function describeEnd(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return 'the worker reached its memory limit (memoryMb)';
  const exit = /^worker exited with code: (-?\d+)$/.exec(error.message);
  return exit === null ? error.message : `its code called process.exit, code ${exit[1]}`;
}

/** What belongs to the app's user, where it has one of its own; nothing else of the host's environment is the app's. */
function userEnv(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const key of ['HOME', 'TMPDIR', 'USER', 'LOGNAME']) {
    const value = process.env[key];
    if (value !== undefined) env[key] = value;
  }
  return env;
}
