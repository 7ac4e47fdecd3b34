import type { BootCheckEntry, FunctionStats } from '../contract/ipc.ts';
import { workerLimits } from '../contract/limits.ts';
import type { ManifestFunction } from '../contract/manifest.ts';
import { defaultSettings, type FunctionSettings } from '../contract/settings.ts';
import type { Assignment } from '../channel/frames.ts';
import { isIntended } from '../pool/end-reasons.ts';
import { FunctionHealth } from './function-health.ts';
import type { Job } from './job.ts';
import type { SlotServices } from './slot-services.ts';
import { WaitingRoom } from './waiting-room.ts';
import { FunctionWorker } from './worker.ts';
import type { WorkerEvents } from './worker.ts';
import { WorkerGroup } from './worker-group.ts';

/** One function of one release: its workers, and the invocations that wait for one. */
export class FunctionSlot {
  readonly fn: ManifestFunction;
  requests = 0;
  failures = 0;
  serverErrors = 0;
  readonly #workers = new WorkerGroup();
  readonly #waiting: WaitingRoom;
  readonly #health: FunctionHealth;
  readonly #services: SlotServices;
  readonly #assignment: Assignment;
  #retired = false;
  /** The slot of the same name in the release that replaced this one. */
  #heir: FunctionSlot | null = null;
  #sampledAt = 0;
  #checkedAt = 0;
  #grownAt = 0;

  constructor(fn: ManifestFunction, { assignment, services }: { assignment: Assignment; services: SlotServices }) {
    this.fn = fn;
    this.#assignment = assignment;
    this.#services = services;
    this.#waiting = new WaitingRoom({
      total: services.waiting,
      onTick: (now) => this.#tick(now),
      isStarting: () => this.readyCount === 0 && this.#workers.loading,
    });
    const note = (level: 'info' | 'error', message: string): void => services.note(this, level, message);
    this.#health = new FunctionHealth({ workers: this.#workers, note });
  }

  /** Known once the module was loaded, or from the manifest of an earlier load. */
  get settings(): FunctionSettings {
    return this.fn.inspection?.settings ?? defaultSettings;
  }

  get release(): string {
    return this.#assignment.release;
  }

  /** Its workers; for whoever shares threads out among the functions of an app. */
  get workers(): Pick<WorkerGroup, 'size' | 'ready' | 'idle' | 'busy' | 'inFlight' | 'loading'> {
    return this.#workers;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  get readyCount(): number {
    return this.#workers.ready.length;
  }

  /** Whether jobs wait that a new worker could take. */
  get wantsThread(): boolean {
    return !this.#retired && this.#waiting.size > 0;
  }

  stats(): Omit<FunctionStats, 'database'> {
    const { requests, failures, serverErrors, queued } = this;
    const { name, route } = this.fn;
    const { inFlight, size: workers } = this.#workers;
    const { timeoutMs, memoryMb, concurrency, minWorkers, maxWorkers, maxBodyBytes } = this.settings;
    const settings = { timeoutMs, memoryMb, concurrency, minWorkers, maxWorkers, maxBodyBytes };
    const counts = { workers, inFlight, queued, requests, failures, serverErrors };
    return { name, route, ...this.#health.stats, ...counts, ...settings };
  }

  /** Starts the job on a worker, or lets it wait for one. `now` is `performance.now()`. */
  dispatch(job: Job, now: number): void {
    if (this.#retired) {
      // A request that began before a deployment and is complete only now.
      if (this.#heir !== null) this.#heir.dispatch(job, now);
      else job.reject('FN_NOT_FOUND', 'The function was removed by a deployment');
      return;
    }
    this.#sample(now);
    if (this.#waiting.size > 0) this.#serveWaiting(now);
    const refusal = this.#health.refusal(this.#waiting.size);
    if (refusal !== null) {
      job.reject(refusal.code, refusal.detail, refusal.retryInMs);
      return;
    }
    const worker = this.#waiting.size > 0 ? null : this.#workers.free(this.settings.concurrency, now);
    if (worker === null) this.#wait(job, now);
    else this.#start(job, { worker, now });
  }

  /** Forgets a waiting job whose client has gone. */
  forget(job: Job): void {
    if (!this.#waiting.forget(job)) this.#heir?.forget(job);
  }

  /** Starts workers until `count` are loading or ready; resolves with what loading told of each new one. */
  async warm(count: number): Promise<BootCheckEntry[]> {
    const started: Promise<BootCheckEntry>[] = [];
    const want = Math.min(count, this.settings.maxWorkers);
    while (this.#workers.alive < want) {
      const worker = this.#startWorker();
      if (worker === null) break;
      started.push(worker.loaded);
    }
    return await Promise.all(started);
  }

  /** Ready workers that may live through one more deployment. */
  get carriable(): number {
    return this.#workers.ready.filter(mayCarryOver).length;
  }

  /** Takes over the carriable workers of the same code in an older release. */
  adopt(old: FunctionSlot): number {
    const carried = old.#workers.take(mayCarryOver);
    for (const worker of carried) {
      worker.setEvents(this.#events);
      worker.relabel(this.release);
      this.#workers.add(worker);
    }
    return carried.length;
  }

  /** No new workers; those there are end when they are empty. What waits, and what comes, goes to the heir. */
  retire(heir: FunctionSlot | null = null): void {
    this.#retired = true;
    this.#heir = heir;
    const waiting = this.#waiting.clear();
    this.#workers.drainAll();
    for (const job of waiting) this.dispatch(job, performance.now());
  }

  /** Ends the workers there are; new ones may start. */
  drainWorkers(): void {
    this.#workers.drainAll();
  }

  /** Gives back workers that were idle for `idleMs`, and starts those that `minWorkers` asks for. */
  maintain(idleMs: number): void {
    const { minWorkers } = this.settings;
    this.#workers.trim(performance.now() - idleMs, this.readyCount - minWorkers);
    if (!this.#health.isOpen && this.#health.mayStart) void this.warm(minWorkers);
  }

  /** Starts a worker when jobs wait and none is on its way. */
  pump(): void {
    // The thread is there: whether it is worth it was asked before.
    if (this.#waiting.size > 0) this.#grow();
  }

  #events: WorkerEvents = {
    onLog: (_worker, line) => this.#services.onLog(this, line),
    onFree: (worker) => this.#onFree(worker),
    onFaulty: (worker, reason) => void this.#replace(worker, reason),
    onEnded: (worker, reason) => this.#onEnded(worker, reason),
  };

  #start(job: Job, { worker, now }: { worker: FunctionWorker; now: number }): void {
    this.#health.starts(worker);
    this.#services.onWork();
    job.start(worker, now);
  }

  #wait(job: Job, now: number): void {
    const refusal = this.#health.refusalToWait() ?? this.#waiting.enter(job, { now, inFlight: this.#workers.inFlight });
    if (refusal === null) this.#growIfFull(now);
    else job.reject(refusal.code, refusal.detail, refusal.retryInMs);
  }

  #tick(now: number): void {
    this.#sample(now);
    this.#serveWaiting(now);
  }

  /** Looks whether its workers are busy, for a function that nobody else asks for. Returns whether any has work. */
  measure(now: number): boolean {
    const works = this.#workers.inFlight > 0;
    if (works) this.#measure(now);
    return works;
  }

  #measure(now: number): void {
    if (now - this.#sampledAt < workerLimits.loadSampleMs) return;
    this.#sampledAt = now;
    this.#workers.sample(now);
  }

  /** Called when somebody asks. */
  #sample(now: number): void {
    this.#measure(now);
    if (now - this.#checkedAt < workerLimits.loadSampleMs) return;
    this.#checkedAt = now;
    if (this.readyCount > 0 && this.#workers.allBusy) this.#growBusy(now);
  }

  /** Another worker because those there are compute all the time: as long as a core is free for it, or they say nothing. */
  #growBusy(now: number): void {
    const { growEveryMs, stalledMs } = workerLimits;
    if (now - this.#grownAt < growEveryMs || !this.#mayGrow()) return;
    if (!this.#services.hasCore(this) && this.#workers.stalledMs(now) < stalledMs) return;
    this.#grownAt = now;
    this.#startWorker();
  }

  /**
   * Another worker because those there are hold as many invocations as they may, or there is none. Not while answers come and
   * nobody has waited for long: more threads would only wake each other.
   */
  #growIfFull(now: number): void {
    if (!this.#waiting.flows(now, this.#workers.answeredAt)) this.#grow();
  }

  #grow(): void {
    if (this.#workers.isFull(this.settings.concurrency) && this.#mayGrow()) this.#startWorker();
  }

  #mayGrow(): boolean {
    if (this.#retired || this.#workers.loading || !this.#health.mayStart) return false;
    return this.#workers.alive < this.settings.maxWorkers && (this.readyCount === 0 || this.#services.mayLoad());
  }

  #startWorker(): FunctionWorker | null {
    const thread = this.#services.takeThread(this);
    if (thread === null) return null;
    const worker = new FunctionWorker(thread, { assignment: this.#assignment, events: this.#events });
    this.#workers.add(worker);
    void worker.loaded.then((entry) => this.#onLoaded(entry));
    return worker;
  }

  #onLoaded({ error }: BootCheckEntry): void {
    if (error === null) {
      this.#health.loaded();
      this.#serveWaiting(performance.now());
      return;
    }
    const refusal = this.#health.loadFailed(error);
    if (this.readyCount > 0 || refusal === null) return;
    for (const job of this.#waiting.clear()) job.reject(refusal.code, refusal.detail, refusal.retryInMs);
  }

  #serveWaiting(now: number): void {
    while (this.#waiting.size > 0) {
      const worker = this.#workers.free(this.settings.concurrency, now);
      if (worker === null) break;
      const job = this.#waiting.next(now);
      if (job !== null) this.#start(job, { worker, now });
    }
    if (this.#waiting.size > 0) this.#growIfFull(now);
  }

  #onFree(worker: FunctionWorker): void {
    this.#health.freed(worker);
    if (this.#waiting.size > 0) this.#serveWaiting(performance.now());
    if (worker.inFlight === 0) this.#services.onIdle();
  }

  /** A faulty worker goes on until another is ready, or none can be had. */
  async #replace(worker: FunctionWorker, reason: string): Promise<void> {
    this.#services.note(this, 'warn', `worker is replaced: an error escaped the handler (${reason})`);
    this.#health.died(`an error escaped the handler: ${reason}`);
    if (!this.#retired && this.#health.mayStart) await this.warm(this.#workers.alive + 1);
    worker.drain();
  }

  #onEnded(worker: FunctionWorker, reason: string): void {
    const loaded = worker.inspection !== null;
    const lost = loaded && !worker.leaving;
    if (loaded && !isIntended(reason)) this.#services.note(this, 'warn', `worker ended: ${reason}`);
    if (lost && !worker.faulty) this.#health.died(reason);
    this.#workers.remove(worker);
    this.#health.gone(worker);
    this.#services.onIdle();
    if (this.#retired) return;
    // Warm again before the next request asks for it.
    if (!this.#health.isOpen && this.#health.mayStart) {
      void this.warm(Math.max(this.#workers.alive + (lost ? 1 : 0), this.settings.minWorkers));
    }
    this.pump();
  }
}

function mayCarryOver(worker: FunctionWorker): boolean {
  return worker.state === 'ready' && worker.carryOvers < workerLimits.carryOversMax;
}
