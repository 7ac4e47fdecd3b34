import { workerLimits } from '../contract/limits.ts';
import type { FunctionWorker } from './worker.ts';

/** The workers of one function: who takes the next invocation, and how busy they are. */
export class WorkerGroup {
  #workers: FunctionWorker[] = [];
  /** Answers of workers that are not in it any more. */
  #answeredBefore = 0;

  get size(): number {
    return this.#workers.length;
  }

  /** Without what a thread that does not end still holds. */
  get inFlight(): number {
    return this.#workers.reduce((sum, worker) => sum + (worker.ending ? 0 : worker.inFlight), 0);
  }

  /** Invocations answered by its workers, past and present. */
  get answered(): number {
    return this.#workers.reduce((sum, worker) => sum + worker.answered, this.#answeredBefore);
  }

  get ready(): FunctionWorker[] {
    return this.#workers.filter((worker) => worker.state === 'ready');
  }

  get idle(): FunctionWorker[] {
    return this.ready.filter((worker) => worker.inFlight === 0);
  }

  get loading(): boolean {
    return this.#workers.some((worker) => worker.state === 'loading');
  }

  /** Workers that serve, or will: without those that are to be replaced. */
  get alive(): number {
    return this.#workers.filter(({ state, faulty, suspect, load, heard }) => {
      if (state === 'loading') return true;
      return state === 'ready' && !faulty && !(suspect && load.isStalled(heard));
    }).length;
  }

  /** Ready workers whose event loop is at work nearly all the time. */
  get busy(): number {
    return this.#workers.filter(({ state, load }) => state === 'ready' && load.busySamples > 0).length;
  }

  add(worker: FunctionWorker): void {
    this.#workers.push(worker);
  }

  remove(worker: FunctionWorker): void {
    this.take((other) => other === worker);
  }

  /** Takes out those that `match`. */
  take(match: (worker: FunctionWorker) => boolean): FunctionWorker[] {
    const taken = this.#workers.filter(match);
    this.#workers = this.#workers.filter((worker) => !taken.includes(worker));
    for (const { answered } of taken) this.#answeredBefore += answered;
    return taken;
  }

  drainAll(): void {
    for (const worker of this.#workers) worker.drain();
  }

  /** When one of its ready workers last answered, by `performance.now()`. */
  get answeredAt(): number {
    return this.ready.reduce((last, { load }) => Math.max(last, load.answeredAt), -Infinity);
  }

  /**
   * The least busy worker with a free place; a faulty one only when there is no other. Invocations that take microseconds go
   * together to the first that has places: one thread that is woken for many of them does far more than several.
   */
  free(concurrency: number, now: number): FunctionWorker | null {
    let best: FunctionWorker | null = null;
    for (const worker of this.#workers) {
      if (worker.state !== 'ready' || worker.suspect) continue;
      const { inFlight, load, faulty } = worker;
      if (inFlight >= concurrency || inFlight >= load.room || load.isStalled(worker.heard)) continue;
      if (!faulty && (inFlight === 0 || isQuick(worker, now))) return worker;
      if (best === null || (best.faulty && !faulty) || (best.faulty === faulty && inFlight < best.inFlight))
        best = worker;
    }
    return best;
  }

  /** Whether no ready worker has a place, as far as its number of invocations tells. */
  isFull(concurrency: number): boolean {
    return !this.#workers.some(({ state, suspect, inFlight }) => {
      return state === 'ready' && !suspect && inFlight < concurrency;
    });
  }

  /** Measures how busy each worker is since the last time. */
  sample(now: number): void {
    for (const worker of this.#workers) {
      const { inFlight, answered, heard, thread, load } = worker;
      if (worker.state !== 'ready') continue;
      const wasNice = load.isNice;
      load.sample(now, { activeMs: thread.activeMs(), inFlight, answered, heard });
      if (load.isNice !== wasNice) thread.setNice(load.isNice);
    }
  }

  /** Whether every ready worker has work and was busy for some samples: another invocation would wait. */
  get allBusy(): boolean {
    const { ready } = this;
    return ready.every(({ inFlight, load }) => inFlight > 0 && load.busySamples >= workerLimits.busySamples);
  }

  /** How long all ready workers have been stalled. */
  stalledMs(now: number): number {
    let since = 0;
    for (const { heard, load } of this.ready) {
      if (!load.isStalled(heard)) return 0;
      since = Math.max(since, load.stalledSince);
    }
    return since === 0 ? 0 : now - since;
  }

  /** Ends workers that were idle since before `before`, as long as `spare` are left to end. Returns their number. */
  trim(before: number, spare: number): number {
    const old = this.idle.filter((worker) => worker.idleSince <= before).slice(0, Math.max(0, spare));
    for (const worker of old) worker.drain();
    return old.length;
  }
}

/** Whether another invocation waits for next to nothing there: those before it are done soon, and none of them has kept the thread. */
function isQuick({ inFlight, load }: FunctionWorker, now: number): boolean {
  return inFlight * load.answerMs < workerLimits.togetherMs && now - load.answeredAt < workerLimits.quietMs;
}
