import type { DatabaseFigures, DatabaseToHost, DatabaseToWorker } from '../../channel/frames.ts';

/** What the worker's end of a budget is made of. */
export interface PermitsOptions {
  name: string;
  send: (message: DatabaseToHost) => void;
  figures: DatabaseFigures;
  /** A connection may be opened. */
  onGrant: () => void;
  /** Connections are wanted back: see `recall`. */
  onRecall: () => void;
  /** The worker ends: what nobody uses is to be closed. */
  onEnding: () => void;
  /** These connections are to be ended. */
  onOrphans: (ids: number[]) => void;
}

/** The worker's end of an app's budget of connections: the host decides who may open one. */
export class Permits {
  readonly #options: PermitsOptions;
  #want = 0;
  #seen = 0;
  #returned = 0;
  #recall = 0;
  #told = 0;
  #scheduled = false;
  readonly #ids = new Set<number>();
  #gone: number[] = [];
  /** Of the whole process, as the host last told. */
  used = 0;
  limit = 0;

  constructor(options: PermitsOptions) {
    this.#options = options;
  }

  /** Permits that the worker has. */
  get held(): number {
    return this.#seen - this.#returned;
  }

  /** Connections that others need more than this worker, as far as it has them. */
  get recalled(): number {
    return Math.min(this.#recall, this.held);
  }

  /** How the budget stands, in words. */
  describe({ inUse }: { inUse: number }): string {
    const { used, limit, held } = this;
    return `${used} of the app's ${limit} connections are open; ${held} in this worker, ${inUse} of them in use`;
  }

  /** Sets how many permits are wanted beside those there are. */
  want(count: number): void {
    if (count === this.#want) return;
    this.#want = count;
    this.#tell();
  }

  /** A connection is gone, or was not made. */
  giveBack(id: number | null): void {
    if (id !== null) this.#ids.delete(id);
    this.#returned++;
    if (this.#recall > 0) this.#recall--;
    this.#tell();
  }

  /** A connection is open, under this number of the server's. */
  opened(id: number): void {
    this.#ids.add(id);
    this.#tell();
  }

  /** The server does not know these any more. */
  gone(ids: readonly number[]): void {
    this.#gone.push(...ids);
    this.#tell();
  }

  /** Tells the figures when they have changed. */
  tellFigures(): void {
    const { queries, busy } = this.#options.figures;
    if (queries + busy !== this.#told) this.#tell();
  }

  receive({ granted, recall, used, limit, orphans, ending }: DatabaseToWorker): void {
    this.used = used;
    this.limit = limit;
    this.#recall = recall;
    if (orphans.length > 0) this.#options.onOrphans(orphans);
    while (this.#seen < granted) {
      this.#seen++;
      if (this.#want > 0) this.#want--;
      this.#options.onGrant();
    }
    if (this.recalled > 0) this.#options.onRecall();
    if (ending) this.#options.onEnding();
  }

  /** What changes in one go is told in one message. */
  #tell(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const { name, send, figures } = this.#options;
      this.#told = figures.queries + figures.busy;
      const gone = this.#gone;
      this.#gone = [];
      const counts = { want: this.#want, seen: this.#seen, returned: this.#returned };
      send({ type: 'database', name, ...counts, ids: [...this.#ids], gone, figures: { ...figures } });
    });
  }
}
