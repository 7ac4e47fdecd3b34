import { hostLimits } from '../contract/limits.ts';
import type { AppHostStatus } from './app-host.ts';
import { Exits } from './exits.ts';

/** When a process that ends again and again is started again, and why it ended. */
export class Backoff extends Exits {
  #failures = 0;
  #retryTimer: NodeJS.Timeout | null = null;
  #healthyTimer: NodeJS.Timeout | null = null;
  #retryAtMs: number | null = null;

  /** Ends in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Why it ended, and when the next try is. */
  get status(): Pick<AppHostStatus, 'lastExit' | 'exits' | 'retryAt'> {
    const retryAt = this.#retryAtMs === null ? null : new Date(this.#retryAtMs).toISOString();
    return { lastExit: this.last, exits: this.all, retryAt };
  }

  /** It serves: when that lasts, its next end is the first again. */
  started(): void {
    this.#healthyTimer = setTimeout(() => {
      this.#failures = 0;
    }, hostLimits.healthyMs);
    this.#healthyTimer.unref();
  }

  /** It ended: `retry` is called when it is to be started again. Returns how long that takes. */
  failed(retry: () => void): number {
    if (this.#healthyTimer !== null) clearTimeout(this.#healthyTimer);
    this.#failures++;
    const { restartBackoffMinMs, restartBackoffMaxMs } = hostLimits;
    // The first restart is at once: most deaths are single ones.
    const waitMs =
      this.#failures === 1 ? 0 : Math.min(restartBackoffMaxMs, restartBackoffMinMs * 2 ** (this.#failures - 1));
    this.#retryAtMs = Date.now() + waitMs;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null;
      this.#retryAtMs = null;
      retry();
    }, waitMs);
    return waitMs;
  }

  /** No try is to come, or one is under way. */
  cancel(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    this.#retryAtMs = null;
  }

  /** What a client is told meanwhile. */
  refusal(): { detail: string; retryAfterMs: number } {
    const retryAfterMs = this.#retryAtMs === null ? 0 : Math.max(0, this.#retryAtMs - Date.now());
    const [newest] = this.all;
    const why = newest === undefined ? 'does not start' : `ended (${newest.reason})`;
    const often = this.#failures > 1 ? `, ${this.#failures} times in a row` : '';
    const next =
      this.#retryAtMs === null ? 'it is being started again' : `next try in ${Math.ceil(retryAfterMs / 1000)} s`;
    return { detail: `The app's process ${why}${often}; ${next}`, retryAfterMs };
  }
}
