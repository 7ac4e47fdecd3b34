import type { ErrorCode } from '../contract/errors.ts';
import type { FunctionState } from '../contract/ipc.ts';
import { hostLimits, workerLimits } from '../contract/limits.ts';

/** Why a request is not taken. */
export interface Refusal {
  code: ErrorCode;
  /** For the client: nothing of the user's code or data. */
  detail: string;
  retryInMs: number;
}

/** How a worker ended. */
export interface Death {
  /** For the operator; may quote the user's code. */
  reason: string;
  /** Whether any invocation of the function was answered since the death before. */
  answeredSince: boolean;
}

const { deathsMax, deathsWindowMs, breakerMinMs, breakerMaxMs } = workerLimits;
const { restartBackoffMinMs, restartBackoffMaxMs } = hostLimits;

/**
 * Keeps a function that cannot work from burning CPU. One that does not load is tried again with growing pauses
 * (`backoff`). One whose workers die `deathsMax` times within `deathsWindowMs` without a single answer in
 * between is `open`: refused until a pause is over, then tried with one request. An answer anywhere resets the
 * count, so that inputs which kill their worker do not close the function to the others.
 */
export class Breaker {
  readonly #now: () => number;
  #loadFailures = 0;
  #reason: string | null = null;
  #blockedUntil = 0;
  #deaths: number[] = [];
  /** Times in a row that it opened; 0: it is closed. */
  #opened = 0;

  constructor({ now }: { now: () => number }) {
    this.#now = now;
  }

  get state(): FunctionState {
    if (this.#opened > 0) return 'open';
    return this.#loadFailures > 0 ? 'backoff' : 'ok';
  }

  get reason(): string | null {
    return this.state === 'ok' ? null : this.#reason;
  }

  /** 0: the next request is the try. Null in state `ok`. */
  get retryInMs(): number | null {
    return this.state === 'ok' ? null : this.#waitMs();
  }

  /** Whether a worker may be started now. */
  get mayStart(): boolean {
    return this.#waitMs() === 0;
  }

  /** Open, and its pause is over: one request may try. */
  get halfOpen(): boolean {
    return this.#opened > 0 && this.#waitMs() === 0;
  }

  loaded(): void {
    if (this.#loadFailures === 0) return;
    this.#loadFailures = 0;
    if (this.#opened === 0) this.#blockedUntil = 0;
  }

  /** Returns the pause. */
  loadFailed(reason: string): number {
    this.#reason = reason;
    return this.#pause(restartBackoffMinMs * 2 ** this.#loadFailures++, restartBackoffMaxMs);
  }

  /** Returns the pause when the function is refused from now on, else null. */
  died({ reason, answeredSince }: Death): number | null {
    const now = this.#now();
    if (this.#opened > 0) {
      // Others that were still at work when it opened tell nothing new; the one that tries does.
      return this.#waitMs() > 0 ? null : this.#open(reason);
    }
    if (answeredSince) this.#deaths = [];
    this.#deaths = [...this.#deaths.filter((at) => at > now - deathsWindowMs), now];
    return this.#deaths.length < deathsMax ? null : this.#open(reason);
  }

  /** An invocation was answered after the breaker opened. Returns whether that closed it. */
  answered(): boolean {
    if (this.#opened === 0) return false;
    this.#opened = 0;
    this.#deaths = [];
    this.#blockedUntil = 0;
    return true;
  }

  /** For a request that finds no worker; null: it may wait for one. */
  refusal(): Refusal | null {
    const retryInMs = this.#waitMs();
    const when = `next try in ${(retryInMs / 1000).toFixed(1)} s`;
    if (this.#opened > 0) {
      const detail = `The function's workers ended one after the other without an answer; ${when}`;
      return { code: 'FN_CRASHING', detail, retryInMs };
    }
    if (retryInMs === 0) return null;
    return { code: 'FN_LOAD_FAILED', detail: `The function does not load; ${when}`, retryInMs };
  }

  #open(reason: string): number {
    this.#reason = reason;
    return this.#pause(breakerMinMs * 2 ** this.#opened++, breakerMaxMs);
  }

  #pause(ms: number, mostMs: number): number {
    const pauseMs = Math.min(mostMs, ms);
    this.#blockedUntil = this.#now() + pauseMs;
    return pauseMs;
  }

  #waitMs(): number {
    return Math.max(0, Math.ceil(this.#blockedUntil - this.#now()));
  }
}
