import { readdirSync } from 'node:fs';
import type {
  ActivateResult,
  BootCheckEntry,
  HostStats,
  LoadResult,
  OpenConnections,
  ProbeResult,
  SchedulingPolicy,
} from '../contract/ipc.ts';
import { FnrunError } from '../contract/errors.ts';
import { workerLimits } from '../contract/limits.ts';
import type { LogRecord } from '../contract/log.ts';
import type { Thread, ThreadPool } from '../pool/thread-pool.ts';
import { checkCandidate } from './check-candidate.ts';
import type { CheckOptions } from './check-candidate.ts';
import { Cores } from './cores.ts';
import { CpuQueue } from './cpu-queue.ts';
import { DatabaseConnections } from './database/connections.ts';
import type { FunctionSlot } from './function-slot.ts';
import type { SlotServices } from './slot-services.ts';
import { Generation, readManifest } from './generation.ts';
import type { GenerationSource } from './generation.ts';
import type { LogSink } from './log-sink.ts';
import { probeCandidate } from './probe.ts';
import { Scheduling } from './scheduling.ts';
import { ThreadShares } from './thread-shares.ts';
import type { QueueTotal } from './wait-queue.ts';
import { carryOver, drainInto, retireAll, warmUp } from './switch.ts';
import type { WarmUpOptions } from './switch.ts';
import type { WorkerLogLine } from './invocation.ts';

/** What the app is made of. */
export interface HostAppOptions {
  app: string;
  pool: ThreadPool;
  sink: LogSink;
  now: () => Date;
  /** Development: responses tell what they took of databases. */
  dev?: boolean;
  /** Is told of the database connections there may be. @default nobody is */
  onConnections?: (open: Record<string, OpenConnections>) => void;
  /** Is told how the kernel is to schedule the threads of this process. @default nobody is */
  onScheduling?: (policy: SchedulingPolicy) => void;
}

interface Candidate {
  generation: Generation;
  /** No worker is carried over into it. */
  fresh: boolean;
}

/** What an app host serves: the live generation, candidates beside it, old ones that drain. */
export class HostApp {
  readonly counters = { requests: 0, failures: 0 };
  readonly databases: DatabaseConnections;
  readonly #options: HostAppOptions;
  readonly #candidates = new Map<string, Candidate>();
  readonly #checking = new Set<string>();
  readonly #shares: ThreadShares;
  readonly #cores = new Cores();
  readonly #cpuQueue = new CpuQueue();
  readonly #scheduling: Scheduling;
  readonly #waiting: QueueTotal = { jobs: 0, queues: 0 };
  readonly #startedAt = performance.now();
  readonly #trimmer: NodeJS.Timeout;
  /** Runs while invocations do. */
  #watch: NodeJS.Timeout | null = null;
  #live: Generation | null = null;

  constructor(options: HostAppOptions) {
    this.#options = options;
    this.databases = new DatabaseConnections({ onOpen: options.onConnections ?? (() => {}) });
    this.#scheduling = new Scheduling({
      workers: () => this.#slots().flatMap((slot) => slot.workers.ready),
      requests: () => this.counters.requests,
      tell: options.onScheduling ?? (() => {}),
    });
    this.#shares = new ThreadShares({ pool: options.pool, slots: () => this.#slots() });
    this.#trimmer = setInterval(() => {
      for (const slot of this.#slots()) slot.maintain(workerLimits.idleMs);
    }, workerLimits.trimEveryMs);
    this.#trimmer.unref();
  }

  get live(): Generation | null {
    return this.#live;
  }

  /** Reads a release and, with `check`, loads each of its functions in a worker. It serves nothing yet. */
  async load(source: GenerationSource, { check, fresh }: { check: boolean; fresh: boolean }): Promise<LoadResult> {
    const before = performance.now();
    this.discard(source.release);
    // A host that is woken needs its first thread at once; a deployment needs the CPUs.
    if (check || this.#live !== null) this.#options.pool.hold();
    const manifest = await readManifest(source);
    const generation = new Generation(source, { manifest, services: this.#services });
    const takeThread = (): Thread | null => {
      const thread = this.#options.pool.take(workerLimits.memoryMb, { urgent: true });
      if (thread !== null) this.databases.attach(thread, '');
      return thread;
    };
    const functions = check ? await this.#check(generation, { live: fresh ? null : this.#live, takeThread }) : [];
    generation.inspected(functions);
    if (functions.some((entry) => entry.error !== null)) retireAll(generation);
    else this.#candidates.set(source.release, { generation, fresh });
    return { release: source.release, ms: performance.now() - before, functions };
  }

  /** Makes a loaded candidate the live generation. Throws `FN_NO_SUCH_RELEASE`, `FN_LOAD_FAILED`. */
  async activate(release: string, options: Pick<WarmUpOptions, 'warm' | 'strict'> = {}): Promise<ActivateResult> {
    const before = performance.now();
    const { generation: next, fresh } = this.#candidate(release);
    await warmUp(next, { old: this.#live, carry: !fresh, ...options });
    this.#candidates.delete(release);
    // From here to the end nothing waits: no request sees half a switch.
    const old = this.#live;
    const carriedOver = old === null || fresh ? 0 : carryOver(next, old);
    this.#live = next;
    if (old !== null) drainInto(old, next);
    this.#options.pool.release();
    const warm = [...next.slots.values()].reduce((sum, slot) => sum + slot.readyCount, 0);
    return { release, warm, carriedOver, ms: performance.now() - before };
  }

  /** Asks what the functions of a loaded candidate name in their `check` setting. Throws `FN_NO_SUCH_RELEASE`. */
  async probe(release: string): Promise<ProbeResult> {
    return await probeCandidate(this.#candidate(release).generation, { app: this, live: this.#live });
  }

  /** Drops a candidate and the workers it has already. */
  discard(release: string): void {
    const candidate = this.#candidates.get(release);
    this.#candidates.delete(release);
    this.#options.pool.release();
    if (candidate !== undefined) retireAll(candidate.generation);
  }

  stats(): HostStats {
    const { pool, sink } = this.#options;
    const slots = this.#slots();
    const databases = this.databases.figures();
    return {
      release: this.#live?.source.release ?? null,
      uptimeMs: Math.round(performance.now() - this.#startedAt),
      rssBytes: process.memoryUsage.rss(),
      openFiles: countOpenFiles(),
      threads: pool.size,
      threadsMax: pool.max,
      reserve: pool.idle,
      starving: this.#shares.starving,
      leaving: this.#shares.leaving,
      requests: this.counters.requests,
      failures: this.counters.failures,
      inFlight: slots.reduce((sum, slot) => sum + slot.workers.inFlight, 0),
      queued: this.#waiting.jobs,
      droppedLogLines: sink.dropped,
      connections: this.databases.use(),
      functions: slots.map((slot) => ({ ...slot.stats(), database: databases.get(slot.fn.name) ?? null })),
    };
  }

  log(record: Omit<LogRecord, 'time' | 'app'>): void {
    const { app, sink, now } = this.#options;
    sink.write({ time: now().toISOString(), app, ...record });
  }

  /** No worker is started any more; those there are end when they are empty. */
  close(): void {
    clearInterval(this.#trimmer);
    if (this.#watch !== null) clearInterval(this.#watch);
    for (const slot of this.#slots()) slot.retire();
  }

  #services: SlotServices = {
    isDev: () => this.#options.dev === true,
    waiting: this.#waiting,
    takeThread: (slot) => {
      const thread = this.#shares.take(slot);
      if (thread !== null) this.databases.attach(thread, slot.fn.name);
      return thread;
    },
    mayLoad: () => this.#mayLoadMore(),
    hasCore: (slot) => {
      const busy = this.#slots().reduce((sum, each) => sum + each.workers.busy, 0);
      return this.#cores.hasRoom(busy) && !this.#shareWithDatabase(slot);
    },
    onWork: () => {
      this.#watch ??= this.#startWatch();
    },
    onIdle: () => this.#shares.makeRoom(),
    onLog: (slot, line) => this.#onWorkerLog(slot, line),
    note: (slot, level, message) => {
      // Why a candidate does not load is told by the boot check, to whoever deploys it.
      const isCandidate = this.#candidates.has(slot.release) || this.#checking.has(slot.release);
      if (!isCandidate) this.log({ level, function: slot.fn.name, release: slot.release, message });
    },
  };

  async #check(candidate: Generation, options: CheckOptions): Promise<BootCheckEntry[]> {
    const { release } = candidate.source;
    this.#checking.add(release);
    try {
      return await checkCandidate(candidate, options);
    } finally {
      this.#checking.delete(release);
    }
  }

  #candidate(release: string): Candidate {
    const candidate = this.#candidates.get(release);
    if (candidate !== undefined) return candidate;
    throw new FnrunError('FN_NO_SUCH_RELEASE', `Release ${release} is not loaded in this host`);
  }

  /** A worker that computes goes behind the main thread, and those of other functions, also when nobody else asks for its function. */
  #measure(): void {
    const now = performance.now();
    const { everyMs } = this.#scheduling;
    const works = this.#slots().filter((slot) => slot.measure(now)).length > 0;
    this.#scheduling.look(now);
    if (this.#watch === null || (works && this.#scheduling.everyMs === everyMs)) return;
    clearInterval(this.#watch);
    this.#watch = works ? this.#startWatch() : null;
  }

  #startWatch(): NodeJS.Timeout {
    return setInterval(() => this.#measure(), this.#scheduling.everyMs);
  }

  /** Whether the slot's threads have database connections and stand in line for the cores. */
  #shareWithDatabase(slot: FunctionSlot): boolean {
    const threads = slot.workers.ready.map(({ thread }) => thread);
    return threads.some((thread) => this.databases.holds(thread)) && this.#cpuQueue.isLong(threads, performance.now());
  }

  /** Loading computes: as many at once as there are cores, beyond what each function needs to have one, keep nobody else from serving. */
  #mayLoadMore(): boolean {
    return this.#slots().filter(({ workers }) => workers.loading).length < this.#cores.count;
  }

  #slots(): FunctionSlot[] {
    return this.#live === null ? [] : [...this.#live.slots.values()];
  }

  #onWorkerLog(slot: FunctionSlot, line: WorkerLogLine): void {
    const base = { function: slot.fn.name, release: slot.release };
    if (line.dropped > 0) {
      this.#options.sink.countDropped(line.dropped);
      this.log({ level: 'warn', ...base, message: `${line.dropped} log lines were dropped` });
    }
    this.log({
      level: line.level,
      ...base,
      ...(line.requestId !== null && { requestId: line.requestId }),
      message: line.message,
      ...(line.stack !== null && { stack: line.stack }),
      ...(line.fields !== null && { fields: line.fields }),
    });
  }
}

/** Asked of the host itself, because an older kernel tells it to nobody of another user. */
function countOpenFiles(): number | null {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return null;
  }
}
