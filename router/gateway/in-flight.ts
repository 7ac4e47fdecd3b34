import type { EventEmitter } from 'node:events';

/** Counts what is under way for each app. */
export class InFlight {
  readonly #counts = new Map<string, number>();
  readonly #perApp: number;

  /** At most `perApp` at once. */
  constructor({ perApp }: { perApp: number }) {
    this.#perApp = perApp;
  }

  /** Counts `leaving` until it closes; false when the app has as many as it may. */
  enter(app: string, leaving: EventEmitter): boolean {
    const count = this.#counts.get(app) ?? 0;
    if (count >= this.#perApp) return false;
    this.#counts.set(app, count + 1);
    leaving.once('close', () => {
      const left = (this.#counts.get(app) ?? 1) - 1;
      if (left === 0) this.#counts.delete(app);
      else this.#counts.set(app, left);
    });
    return true;
  }
}
