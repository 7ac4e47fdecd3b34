import { workerLimits } from '../contract/limits.ts';
import type { Thread, ThreadPool } from '../pool/thread-pool.ts';
import type { FunctionSlot } from './function-slot.ts';
import type { FunctionWorker } from './worker.ts';

/** Whose threads are shared out. */
export interface ThreadSharesOptions {
  pool: ThreadPool;
  /** The functions of the live release. */
  slots: () => FunctionSlot[];
}

/**
 * Shares the threads of an app out among its functions once they do not suffice: those that wait for one get it in
 * turn, functions without any first, from the worker that was idle longest, else from the function that has most.
 */
export class ThreadShares {
  readonly #options: ThreadSharesOptions;
  /** Slots that got no thread, in the order in which they asked. */
  readonly #starving = new Set<FunctionSlot>();
  /** Workers that were told to end for others and have not yet. */
  #leaving = 0;
  #feeding = false;

  constructor(options: ThreadSharesOptions) {
    this.#options = options;
  }

  get starving(): number {
    return this.#inTurn().length;
  }

  get leaving(): number {
    return this.#leaving;
  }

  /** A thread for the slot, or null: then it is pumped when its turn has come. */
  take(slot: FunctionSlot): Thread | null {
    const othersFirst = !this.#feeding && slot.workers.size > 0 && this.#inTurn().some((other) => other !== slot);
    const thread = othersFirst ? null : this.#options.pool.take(slot.settings.memoryMb);
    if (thread === null) this.#starving.add(slot);
    this.makeRoom();
    return thread;
  }

  /** Ends workers: one for each slot that waits, else an idle one before the reserve suffers. */
  makeRoom(): void {
    this.#feed();
    const waiting = this.#inTurn();
    const wanted = waiting.length > 0 ? waiting.length : this.#options.pool.crowded ? 1 : 0;
    if (wanted <= this.#leaving) return;
    const without = waiting.filter((slot) => slot.workers.size === 0).length;
    const idle = this.#idle({ more: without <= this.#leaving });
    for (const worker of idle.slice(0, wanted - this.#leaving)) this.#end(worker);
    while (this.#leaving < without) {
      const worker = this.#ofRichest();
      if (worker === null) return;
      this.#end(worker);
    }
  }

  /**
   * Idle workers, the one that was so longest first. For a function that wants `more` than it has, the only
   * worker of another is spared for a while: else the two would take it from each other at each request.
   */
  #idle({ more }: { more: boolean }): FunctionWorker[] {
    const before = performance.now() - (more ? workerLimits.onlyWorkerIdleMs : 0);
    const idle = this.#options.slots().flatMap((slot) => {
      if (this.#starving.has(slot)) return [];
      return slot.workers.idle.filter((worker) => slot.workers.size > 1 || worker.idleSince <= before);
    });
    return idle.sort((a, b) => a.idleSince - b.idleSince);
  }

  /** The least busy worker of the function that has most, of those that have more than one. */
  #ofRichest(): FunctionWorker | null {
    let most: FunctionWorker[] = [];
    for (const slot of this.#options.slots()) {
      const { ready } = slot.workers;
      if (ready.length > Math.max(1, most.length)) most = ready;
    }
    return most.toSorted((a, b) => a.inFlight - b.inFlight)[0] ?? null;
  }

  #end(worker: FunctionWorker): void {
    this.#leaving++;
    worker.drain();
    void worker.thread.ended.then(() => {
      this.#leaving--;
      this.makeRoom();
    });
  }

  /** Gives free threads to the slots that wait for one, as long as there are both. */
  #feed(): void {
    if (this.#feeding) return;
    this.#feeding = true;
    for (const slot of this.#inTurn()) {
      if (!this.#options.pool.hasRoom) break;
      this.#starving.delete(slot);
      slot.pump();
    }
    this.#feeding = false;
  }

  /** Those that still want one. */
  #inTurn(): FunctionSlot[] {
    if (this.#starving.size === 0) return [];
    for (const slot of this.#starving) if (!slot.wantsThread) this.#starving.delete(slot);
    return [...this.#starving].sort((a, b) => Math.sign(a.workers.size) - Math.sign(b.workers.size));
  }
}
