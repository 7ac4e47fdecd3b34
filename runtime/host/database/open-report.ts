import type { OpenConnections } from '../../contract/ipc.ts';
import { databaseLimits } from '../../contract/limits.ts';

/** What a report is made of. */
export interface OpenReportOptions {
  /** The connections there may be now, by database. */
  open: () => Record<string, OpenConnections>;
  onOpen: (open: Record<string, OpenConnections>) => void;
}

/**
 * Tells the daemon which connections the process has, for whoever has them ended when the process has died. Never fewer than
 * there are: one more is told of at once, all else `reportMs` later.
 */
export class OpenReport {
  readonly #options: OpenReportOptions;
  /** Permits that were told of, by database. */
  readonly #told = new Map<string, number>();
  #last = '{}';
  #scheduled = false;

  constructor(options: OpenReportOptions) {
    this.#options = options;
  }

  /** Of this database `permits` are about to be out. */
  before(name: string, permits: number): void {
    if (permits > (this.#told.get(name) ?? 0)) this.#tell();
  }

  /** Something may have changed. */
  soon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => {
      this.#scheduled = false;
      this.#tell();
    }, databaseLimits.reportMs).unref();
  }

  #tell(): void {
    const open = this.#options.open();
    for (const [name, { permits }] of Object.entries(open)) this.#told.set(name, permits);
    const text = JSON.stringify(open);
    if (text === this.#last) return;
    this.#last = text;
    this.#options.onOpen(open);
  }
}
