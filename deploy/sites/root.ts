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
  /** `<home>/run/sync-served.json`, which root writes before it gets certificates. */
  servedFile: string;
  log: (line: string) => void;
  now: () => number;
  /** Aborts when the daemon stops. */
  signal: AbortSignal;
}

/** What `allAt` waits for. */
export interface AllAtOptions {
  deadlineMs: number;
  silentMs: number;
  orServed: (served: SyncOutcome) => boolean;
  onWait: () => void;
}

/**
 * The daemon's side of `fnrun server sync`: it has no rights of root, and so asks by a file. Requests have numbers that
 * grow, also over restarts; the outcome names the newest one that was taken up.
 */
export class Root {
  readonly #options: RootOptions;
  #asked = 0;
  #again: AbortController | null = null;
  /** The newest requests that somebody has waited for in vain. */
  #late = { served: 0, all: 0 };
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

  /** What root did last, all of it; null: nothing so far. */
  async outcome(): Promise<SyncOutcome | null> {
    return await readOutcome(this.#options.outcomeFile);
  }

  /** What root did last for databases and nginx, whether or not it is still at certificates; null: nothing so far. */
  async served(): Promise<SyncOutcome | null> {
    const [outcome, served] = await Promise.all([this.outcome(), readOutcome(this.#options.servedFile)]);
    return (served?.request ?? 0) >= (outcome?.request ?? 0) ? served : outcome;
  }

  /**
   * What root did when nginx has followed `request`; null when it has not after `deadlineMs`, or at once for a request that
   * somebody has waited for in vain and is still not done.
   */
  async servedAt(request: number, { deadlineMs }: { deadlineMs: number }): Promise<SyncOutcome | null> {
    const leftMs = request <= this.#late.served ? 0 : deadlineMs;
    const served = await this.#waitFor(request, { deadlineMs: leftMs, read: () => this.served() });
    if (served === null) this.#late.served = Math.max(this.#late.served, request);
    return served;
  }

  /** What root did when it has got to `request` with all it does; null when it has not after `deadlineMs`. */
  async outcomeOf(request: number, { deadlineMs }: { deadlineMs: number }): Promise<SyncOutcome | null> {
    return await this.#waitFor(request, { deadlineMs, read: () => this.outcome() });
  }

  /**
   * As `servedAt` for all that root does, or when `orServed` says of what nginx has followed meanwhile that it is enough. `onWait` is
   * called when there is something to wait for: after `silentMs`, and not when somebody has waited for it in vain.
   */
  async allAt(request: number, options: AllAtOptions): Promise<SyncOutcome | null> {
    const { deadlineMs, silentMs, orServed, onWait } = options;
    const read = async (): Promise<SyncOutcome | null> => {
      const [outcome, served] = await Promise.all([this.outcome(), this.served()]);
      if ((outcome?.request ?? 0) >= request) return outcome;
      return served !== null && served.request >= request && orServed(served) ? served : null;
    };
    const isLate = request <= this.#late.all;
    const soon = await this.#waitFor(request, { deadlineMs: isLate ? 0 : silentMs, read });
    if (soon !== null || isLate) return soon;
    onWait();
    const outcome = await this.#waitFor(request, { deadlineMs: deadlineMs - silentMs, read });
    if (outcome === null) this.#late.all = Math.max(this.#late.all, request);
    return outcome;
  }

  async #waitFor(
    request: number,
    { deadlineMs, read }: { deadlineMs: number; read: () => Promise<SyncOutcome | null> },
  ): Promise<SyncOutcome | null> {
    const endsAt = performance.now() + deadlineMs;
    for (;;) {
      const outcome = await read();
      if (outcome !== null && outcome.request >= request) return outcome;
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0 || this.#options.signal.aborted) return null;
      await sleep(Math.min(domainLimits.outcomePollMs, leftMs));
    }
  }

  /** A change while root's service is at work, or just ending, is one that systemd may not see. */
  async #askAgain(request: number, signal: AbortSignal): Promise<void> {
    for (let asks = 1; asks < domainLimits.asksMax; asks += 1) {
      await sleep(domainLimits.askAgainMs * 2 ** (asks - 1), null, { signal, ref: false }).catch(() => null);
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

async function readOutcome(file: string): Promise<SyncOutcome | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as SyncOutcome;
  } catch {
    return null;
  }
}
