import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SyncOutcome } from '../../router/control/domain-types.ts';
import { domainLimits } from '../../runtime/contract/limits.ts';

/** What the daemon and root tell each other by. */
export interface RootOptions {
  /** `<home>/run/sync`: root looks when it is written to. */
  requestFile: string;
  /** `<home>/run/sync.json`, which root writes; not there: nobody looks. */
  outcomeFile: string;
  log: (line: string) => void;
  now: () => number;
  /** Aborts when the daemon stops. */
  signal: AbortSignal;
}

/**
 * The daemon's side of `fnrun server sync`: it has no rights of root, and so asks by a file. Requests have numbers that
 * grow, also over restarts; the outcome names the newest one that was taken up.
 */
export class Root {
  readonly #options: RootOptions;
  #asked = 0;
  #again: AbortController | null = null;
  #late = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: RootOptions) {
    this.#options = options;
  }

  /** Asks root to look at everything anew. Resolves to the request's number; null: nobody looks here. */
  async ask(): Promise<number | null> {
    const { now } = this.#options;
    this.#asked = Math.max(this.#asked + 1, now());
    const request = this.#asked;
    this.#again?.abort();
    this.#again = null;
    if (!(await this.#write(request)) || (await this.outcome()) === null) return null;
    this.#again = new AbortController();
    void this.#askAgain(request, AbortSignal.any([this.#again.signal, this.#options.signal]));
    return request;
  }

  /** What root did last; null: nothing so far. */
  async outcome(): Promise<SyncOutcome | null> {
    try {
      return JSON.parse(await readFile(this.#options.outcomeFile, 'utf8')) as SyncOutcome;
    } catch {
      return null;
    }
  }

  /**
   * What root did when it has got to `request`; null when it has not after `deadlineMs`, or at once for a request that
   * somebody has waited for in vain and is still not done.
   */
  async outcomeOf(request: number, { deadlineMs }: { deadlineMs: number }): Promise<SyncOutcome | null> {
    const isDone = await this.isDone(request, { deadlineMs: request <= this.#late ? 0 : deadlineMs });
    if (isDone) return await this.outcome();
    this.#late = Math.max(this.#late, request);
    return null;
  }

  /** Whether root has got to `request` within `deadlineMs`. */
  async isDone(request: number, { deadlineMs }: { deadlineMs: number }): Promise<boolean> {
    const endsAt = performance.now() + deadlineMs;
    for (;;) {
      if (((await this.outcome())?.request ?? 0) >= request) return true;
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0 || this.#options.signal.aborted) return false;
      await sleep(Math.min(domainLimits.outcomePollMs, leftMs));
    }
  }

  /** A change while root's service is just ending is one that systemd may not see. */
  async #askAgain(request: number, signal: AbortSignal): Promise<void> {
    for (let asks = 1; asks < domainLimits.asksMax; asks += 1) {
      await sleep(domainLimits.askAgainMs, null, { signal, ref: false }).catch(() => null);
      if (signal.aborted || ((await this.outcome())?.request ?? 0) >= request) return;
      await this.#write(request);
    }
  }

  async #write(request: number): Promise<boolean> {
    try {
      // One after the other, or the lower number might stay.
      const write = this.#writing.then(() => writeFile(this.#options.requestFile, `${request}\n`));
      this.#writing = write.catch(() => undefined);
      await write;
      return true;
    } catch (error) {
      this.#options.log(`cannot write ${this.#options.requestFile}: ${(error as Error).message}`);
      return false;
    }
  }
}
