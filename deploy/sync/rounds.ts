import { setTimeout as sleep } from 'node:timers/promises';
import type { SyncPartOutcome } from '../../router/control/domain-types.ts';
import { domainLimits } from '../../runtime/contract/limits.ts';

/** What rounds are made of. None of it rejects. */
export interface RoundsOptions {
  /** The number of the newest request. */
  requested: () => Promise<number>;
  /** `whole` is false when it was not known what there is to do. */
  run: () => Promise<{ parts: SyncPartOutcome[]; whole: boolean }>;
  /** Called after each round, with what all of them did. */
  ended: (round: Round) => Promise<void>;
}

/** What was done for a request, and for those before it. */
export interface Round {
  request: number;
  parts: SyncPartOutcome[];
  whole: boolean;
}

/** The quick parts, again and again in one run; never two rounds at once. */
export class Rounds {
  readonly #options: RoundsOptions;
  #request = 0;
  #parts: SyncPartOutcome[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** All that changed in all rounds, and the problems of the last. */
  get parts(): readonly SyncPartOutcome[] {
    return this.#parts;
  }

  /** One more round, after the one that may be on. */
  async next(): Promise<Round> {
    return await this.between(async () => {
      const request = await this.#options.requested();
      const { parts, whole } = await this.#options.run();
      this.#request = request;
      this.#parts = this.#merge(parts, whole);
      const round = { request, parts: this.#parts, whole };
      await this.#options.ended(round);
      return round;
    });
  }

  /** Does `work` while no round is on. */
  async between<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return await done;
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

  #merge(parts: readonly SyncPartOutcome[], whole: boolean): SyncPartOutcome[] {
    const ids = new Set(parts.map(({ id }) => id));
    // A round that could not begin did not undo what those before it did.
    const kept = whole ? [] : this.#parts.filter(({ id }) => !ids.has(id));
    const before = (id: string): string[] => this.#parts.find((part) => part.id === id)?.changed ?? [];
    return [...kept, ...parts.map((part) => ({ ...part, changed: [...before(part.id), ...part.changed] }))];
  }
}
