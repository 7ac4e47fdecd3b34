import type { BootCheckEntry, FunctionStats } from '../contract/ipc.ts';
import type { ErrorCode } from '../contract/errors.ts';
import { hostLimits, workerLimits } from '../contract/limits.ts';
import type { ManifestFunction } from '../contract/manifest.ts';
import { defaultSettings } from '../contract/settings.ts';
import type { FunctionSettings } from '../contract/settings.ts';
import type { Assignment } from '../channel/frames.ts';
import type { Thread } from '../pool/thread-pool.ts';
import { FunctionWorker } from './worker.ts';
import type { WorkerLogLine } from './invocation.ts';
import type { WorkerEvents } from './worker.ts';

/** An invocation on its way to a worker. */
export interface Job {
  /** Called with a worker that has a free place; must invoke at once. */
  start(worker: FunctionWorker): void;
  reject(code: ErrorCode, detail: string): void;
  /** The client has gone: the job is not to be started. */
  readonly cancelled: boolean;
}

/** What a slot needs from its app. */
export interface SlotServices {
  /** A thread, or null: then the slot is pumped when one can be had. */
  takeThread(slot: FunctionSlot): Thread | null;
  /** A worker became idle. */
  onIdle(): void;
  onLog(slot: FunctionSlot, line: WorkerLogLine): void;
  note(slot: FunctionSlot, level: 'info' | 'warn' | 'error', message: string): void;
}

interface Waiting {
  job: Job;
  timer: NodeJS.Timeout;
}

/** One function of one release: its workers, and the invocations that wait for one. */
export class FunctionSlot {
  readonly fn: ManifestFunction;
  requests = 0;
  failures = 0;
  #workers: FunctionWorker[] = [];
  readonly #queue = new Set<Waiting>();
  readonly #services: SlotServices;
  readonly #assignment: Assignment;
  #loadFailures = 0;
  #blockedUntil = 0;
  #retired = false;
  /** The slot of the same name in the release that replaced this one. */
  #heir: FunctionSlot | null = null;

  constructor(fn: ManifestFunction, { assignment, services }: { assignment: Assignment; services: SlotServices }) {
    this.fn = fn;
    this.#assignment = assignment;
    this.#services = services;
  }

  /** Known once the module was loaded, or from the manifest of an earlier load. */
  get settings(): FunctionSettings {
    return this.fn.inspection?.settings ?? defaultSettings;
  }

  get release(): string {
    return this.#assignment.release;
  }

  get inFlight(): number {
    return this.#workers.reduce((sum, worker) => sum + worker.inFlight, 0);
  }

  get queued(): number {
    return this.#queue.size;
  }
  idleWorkers(): FunctionWorker[] {
    return this.#workers.filter((worker) => worker.state === 'ready' && worker.inFlight === 0);
  }

  stats(): FunctionStats {
    const { inFlight, queued, requests, failures } = this;
    const { timeoutMs, memoryMb, concurrency, minWorkers, maxWorkers, maxBodyBytes } = this.settings;
    const settings = { timeoutMs, memoryMb, concurrency, minWorkers, maxWorkers, maxBodyBytes };
    const retryInMs = Math.ceil(this.#blockedUntil - performance.now());
    const health: Pick<FunctionStats, 'state' | 'reason' | 'retryInMs'> =
      retryInMs > 0
        ? { state: 'backoff', reason: 'it does not load', retryInMs }
        : { state: 'ok', reason: null, retryInMs: null };
    return {
      name: this.fn.name,
      route: this.fn.route,
      workers: this.#workers.length,
      inFlight,
      queued,
      requests,
      failures,
      ...health,
      ...settings,
    };
  }

  get readyCount(): number {
    return this.#workers.filter((worker) => worker.state === 'ready').length;
  }

  /** Starts the job on the least busy worker, or lets it wait for one. */
  dispatch(job: Job): void {
    if (this.#retired) {
      // A request that began before a deployment and is complete only now.
      if (this.#heir !== null) this.#heir.dispatch(job);
      else job.reject('FN_NOT_FOUND', 'The function was removed by a deployment');
      return;
    }
    const worker = this.#freeWorker();
    if (worker !== null) {
      job.start(worker);
      return;
    }
    if (performance.now() < this.#blockedUntil) {
      job.reject('FN_LOAD_FAILED', 'The function does not load; it is tried again shortly');
      return;
    }
    if (this.#queue.size >= workerLimits.queue) {
      job.reject('FN_OVERLOADED', `${workerLimits.queue} requests wait for this function already`);
      return;
    }
    const waiting: Waiting = { job, timer: setTimeout(() => this.#expire(waiting), workerLimits.queueMs) };
    this.#queue.add(waiting);
    this.#grow();
  }

  /** Forgets a waiting job whose client has gone. */
  forget(job: Job): void {
    for (const waiting of this.#queue) {
      if (waiting.job !== job) continue;
      clearTimeout(waiting.timer);
      this.#queue.delete(waiting);
      return;
    }
    this.#heir?.forget(job);
  }

  /** Starts workers until `count` are loading or ready; resolves with what loading told of each new one. */
  async warm(count: number): Promise<BootCheckEntry[]> {
    const started: Promise<BootCheckEntry>[] = [];
    const want = Math.min(count, this.settings.maxWorkers);
    while (this.#alive() < want) {
      const worker = this.#startWorker();
      if (worker === null) break;
      started.push(worker.loaded);
    }
    return await Promise.all(started);
  }

  /** Ready workers that may live through one more deployment. */
  get carriable(): number {
    return this.#workers.filter(mayCarryOver).length;
  }

  /** Takes over the carriable workers of the same code in an older release. */
  adopt(old: FunctionSlot): number {
    const ready = old.#workers.filter(mayCarryOver);
    old.#workers = old.#workers.filter((worker) => !mayCarryOver(worker));
    for (const worker of ready) {
      worker.setEvents(this.#events);
      worker.relabel(this.release);
      this.#workers.push(worker);
    }
    return ready.length;
  }

  /** No new workers; those there are end when they are empty. What waits, and what comes, goes to the heir. */
  retire(heir: FunctionSlot | null = null): void {
    this.#retired = true;
    this.#heir = heir;
    const waiting = [...this.#queue];
    this.#queue.clear();
    for (const worker of this.#workers) worker.drain();
    for (const { job, timer } of waiting) {
      clearTimeout(timer);
      if (!job.cancelled) this.dispatch(job);
    }
  }

  /** Ends the workers there are; new ones may start. */
  drainWorkers(): void {
    for (const worker of this.#workers) worker.drain();
  }

  /** Gives back workers that were idle for `idleMs`, never below minWorkers. */
  trim(idleMs: number): number {
    const before = performance.now() - idleMs;
    let spare = this.readyCount - this.settings.minWorkers;
    let trimmed = 0;
    for (const worker of this.#workers) {
      if (spare <= 0) break;
      if (worker.state !== 'ready' || worker.inFlight > 0 || worker.idleSince > before) continue;
      worker.drain();
      spare--;
      trimmed++;
    }
    return trimmed;
  }

  /** Starts a worker when jobs wait and none is on its way. */
  pump(): void {
    if (this.#queue.size > 0) this.#grow();
  }

  #events: WorkerEvents = {
    onLog: (_worker, line) => this.#services.onLog(this, line),
    onFree: (worker) => {
      this.#drainQueue();
      if (worker.inFlight === 0) this.#services.onIdle();
    },
    onFaulty: (_worker, reason) => {
      this.#services.note(this, 'warn', `worker is replaced: an error escaped the handler (${reason})`);
      if (!this.#retired && this.readyCount <= 1) void this.warm(this.#alive() + 1);
    },
    onEnded: (worker, reason) => this.#onEnded(worker, reason),
  };

  #freeWorker(): FunctionWorker | null {
    let best: FunctionWorker | null = null;
    for (const worker of this.#workers) {
      if (worker.state !== 'ready' || worker.suspect || worker.inFlight >= this.settings.concurrency) continue;
      if (best === null || worker.inFlight < best.inFlight) best = worker;
    }
    return best;
  }

  #alive(): number {
    return this.#workers.filter((worker) => worker.state === 'ready' || worker.state === 'loading').length;
  }

  #grow(): void {
    const loading = this.#workers.some((worker) => worker.state === 'loading');
    if (this.#retired || loading || this.#alive() >= this.settings.maxWorkers) return;
    if (performance.now() < this.#blockedUntil) return;
    this.#startWorker();
  }

  #startWorker(): FunctionWorker | null {
    const thread = this.#services.takeThread(this);
    if (thread === null) return null;
    const worker = new FunctionWorker(thread, { assignment: this.#assignment, events: this.#events });
    this.#workers.push(worker);
    void worker.loaded.then((entry) => this.#onLoaded(entry));
    return worker;
  }

  #onLoaded(entry: BootCheckEntry): void {
    if (entry.error === null) {
      this.#loadFailures = 0;
      this.#blockedUntil = 0;
      this.#drainQueue();
      return;
    }
    this.#loadFailures++;
    const { restartBackoffMinMs, restartBackoffMaxMs } = hostLimits;
    const backoffMs = Math.min(restartBackoffMaxMs, restartBackoffMinMs * 2 ** (this.#loadFailures - 1));
    this.#blockedUntil = performance.now() + backoffMs;
    this.#services.note(
      this,
      'error',
      `does not load (next try in ${backoffMs} ms): ${entry.error.stack ?? entry.error.message}`,
    );
    if (this.readyCount === 0)
      this.#rejectAll('FN_LOAD_FAILED', 'The function does not load; it is tried again shortly');
  }

  #rejectAll(code: ErrorCode, detail: string): void {
    for (const waiting of this.#queue) {
      clearTimeout(waiting.timer);
      this.#queue.delete(waiting);
      waiting.job.reject(code, detail);
    }
  }

  #drainQueue(): void {
    for (const waiting of this.#queue) {
      const worker = this.#freeWorker();
      if (worker === null) break;
      clearTimeout(waiting.timer);
      this.#queue.delete(waiting);
      if (!waiting.job.cancelled) waiting.job.start(worker);
    }
    if (this.#queue.size > 0) this.#grow();
  }

  #expire(waiting: Waiting): void {
    if (this.#queue.delete(waiting))
      waiting.job.reject('FN_OVERLOADED', `No worker became free within ${workerLimits.queueMs} ms`);
  }

  #onEnded(worker: FunctionWorker, reason: string): void {
    this.#workers = this.#workers.filter((other) => other !== worker);
    if (reason !== 'drained' && worker.inspection !== null)
      this.#services.note(this, 'warn', `worker ended: ${reason}`);
    this.#services.onIdle();
    if (this.#retired) return;
    const lost = reason !== 'drained' && worker.inspection !== null;
    // Warm again before the next request asks for it.
    if (lost || this.#alive() < this.settings.minWorkers)
      void this.warm(Math.max(this.#alive() + (lost ? 1 : 0), this.settings.minWorkers));
    this.pump();
  }
}

function mayCarryOver(worker: FunctionWorker): boolean {
  return worker.state === 'ready' && worker.carryOvers < workerLimits.carryOversMax;
}
