import type { FunctionStats } from '../contract/ipc.ts';
import { workerLimits } from '../contract/limits.ts';
import { Breaker } from './breaker.ts';
import type { Refusal } from './breaker.ts';
import type { FunctionWorker } from './worker.ts';
import type { WorkerGroup } from './worker-group.ts';

/** What the health of a function is told from. */
export interface FunctionHealthOptions {
  workers: WorkerGroup;
  note: (level: 'info' | 'error', message: string) => void;
}

/** Whether a function can work: its breaker, and what becomes of the one request that an open breaker lets through. */
export class FunctionHealth {
  readonly #options: FunctionHealthOptions;
  readonly #breaker = new Breaker({ now: () => performance.now() });
  /** The worker that has the one request, and what it had finished and said before. */
  #trying: { worker: FunctionWorker; finished: number; heard: number } | null = null;
  #answeredAtDeath = 0;

  constructor(options: FunctionHealthOptions) {
    this.#options = options;
  }

  get stats(): Pick<FunctionStats, 'state' | 'reason' | 'retryInMs'> {
    const { state, reason, retryInMs } = this.#breaker;
    return { state, reason, retryInMs };
  }

  /** Whether its workers die one after the other: then none is started before somebody asks. */
  get isOpen(): boolean {
    return this.#breaker.state === 'open';
  }

  get mayStart(): boolean {
    return this.#breaker.mayStart;
  }

  /** Why a request is not taken although a worker may be free. While open, one at a time, after the pause. */
  refusal(waiting: number): Refusal | null {
    if (!this.isOpen) return null;
    // One that is heard of has not killed its worker so far, and may go on for hours: a stream, a WebSocket.
    const trying = this.#trying !== null && this.#trying.worker.heard === this.#trying.heard;
    return this.#breaker.halfOpen && !trying && waiting === 0 ? null : this.#breaker.refusal();
  }

  /** Why a request is not taken that found no worker. */
  refusalToWait(): Refusal | null {
    return this.#breaker.mayStart ? null : this.#breaker.refusal();
  }

  /** Called before an invocation is started. */
  starts(worker: FunctionWorker): void {
    if (this.isOpen) this.#trying = { worker, finished: worker.finished, heard: worker.heard };
  }

  /** An invocation is over and its worker lives. A client that left proves nothing. */
  freed(worker: FunctionWorker): void {
    if (this.#trying?.worker !== worker) return;
    const finished = worker.finished > this.#trying.finished;
    this.#trying = null;
    if (finished && this.#breaker.answered()) this.#options.note('info', 'answers again');
  }

  loaded(): void {
    this.#breaker.loaded();
  }

  loadFailed({ message, stack }: { message: string; stack: string | null }): Refusal | null {
    const pauseMs = this.#breaker.loadFailed(`it does not load: ${message}`);
    this.#options.note('error', `does not load (next try in ${pauseMs} ms): ${stack ?? message}`);
    return this.#breaker.refusal();
  }

  /** A worker ended that was not told to, or is about to for an error that escaped its handlers. */
  died(reason: string): void {
    const { answered } = this.#options.workers;
    const answeredSince = answered > this.#answeredAtDeath;
    this.#answeredAtDeath = answered;
    const pauseMs = this.#breaker.died({ reason, answeredSince });
    if (pauseMs === null) return;
    const { deathsMax } = workerLimits;
    const message = `its last ${deathsMax} workers ended without an answer (${reason}); next try in ${pauseMs} ms`;
    this.#options.note('error', message);
  }

  gone(worker: FunctionWorker): void {
    if (this.#trying?.worker === worker) this.#trying = null;
  }
}
