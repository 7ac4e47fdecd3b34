import { domainLimits } from '../../../runtime/contract/limits.ts';
import type { SlowContext } from '../part.ts';

/**
 * Has nginx serve with the certificates that have come: the first at once, others `domainLimits.installEveryMs` after the
 * last time, for nginx keeps its old processes, one set for each reload, as long as they have connections.
 */
export class Installs {
  readonly #context: Pick<SlowContext, 'again'>;
  #timer: NodeJS.Timeout | null = null;
  #wanted = false;
  #ended = false;
  #lastAt = -Infinity;
  #running: Promise<void> = Promise.resolve();

  constructor(context: Pick<SlowContext, 'again'>) {
    this.#context = context;
  }

  /** One has come. */
  want(): void {
    this.#wanted = true;
    if (this.#ended) return;
    const waitMs = Math.max(0, this.#lastAt + domainLimits.installEveryMs - performance.now());
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#install();
    }, waitMs);
  }

  /** Resolves when nginx serves with all that have come, or could not be had to. */
  async end(): Promise<void> {
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#running;
    if (this.#wanted) this.#install();
    await this.#running;
  }

  #install(): void {
    this.#running = this.#running.then(async () => {
      this.#wanted = false;
      this.#lastAt = performance.now();
      if (!(await this.#context.again())) this.want();
    });
  }
}
