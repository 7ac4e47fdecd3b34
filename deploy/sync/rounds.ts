import { setTimeout as sleep } from 'node:timers/promises';
import type { SyncPartOutcome } from '../../router/control/domain-types.ts';
import { domainLimits } from '../../runtime/contract/limits.ts';

/** What rounds are made of. */
export interface RoundsOptions {
  /** The number of the newest request. */
  requested: () => Promise<number>;
  run: () => Promise<SyncPartOutcome[]>;
  /** Called after each round, with what all of them did. */
  ended: (round: Round) => Promise<void>;
}

/** What was done for a request, and for those before it. */
export interface Round {
  request: number;
  parts: SyncPartOutcome[];
}

/** The quick parts, again and again in one run; never two rounds at once. */
export class Rounds {
  readonly #options: RoundsOptions;
  #request = 0;
  #parts: SyncPartOutcome[] = [];
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** All that changed in all rounds, and the problems of the last. */
  get parts(): readonly SyncPartOutcome[] {
    return this.#parts;
  }

  /** One more round, after the one that may be on. */
  async next(): Promise<Round> {
    const round = this.#running.then(async () => {
      const request = await this.#options.requested();
      const parts = await this.#options.run();
      this.#request = request;
      this.#parts = parts.map((part) => ({ ...part, changed: [...this.#changedBy(part.id), ...part.changed] }));
      await this.#options.ended({ request, parts: this.#parts });
      return { request, parts: this.#parts };
    });
    this.#running = round.catch(() => undefined);
    return await round;
  }

  /** Resolves as `work` does; until then each new request has its round. */
  async during<T>(work: Promise<T>): Promise<T> {
    const over = new AbortController();
    const worked = work.finally(() => over.abort());
    // Told by whoever awaits it below.
    worked.catch(() => undefined);
    while (!over.signal.aborted) {
      await sleep(domainLimits.requestPollMs, null, { signal: over.signal }).catch(() => null);
      if (!over.signal.aborted && (await this.#options.requested()) !== this.#request) await this.next();
    }
    return await worked;
  }

  #changedBy(id: string): string[] {
    return this.#parts.find((part) => part.id === id)?.changed ?? [];
  }
}
