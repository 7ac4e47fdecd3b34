import { FnrunError } from '../runtime/contract/errors.ts';
import { deployLimits } from '../runtime/contract/limits.ts';

/** What one piece of work wants of its lane. */
export interface LaneOptions {
  /** Called when the work has to wait for its turn. */
  onWait?: () => void;
  /** Ends the waiting; the work itself has to look at it too. */
  signal?: AbortSignal;
}

/**
 * Does one thing after the other, in the order asked for: all that changes an app (pushes,
 * rollbacks, removal) goes through its lane. Held in memory: it is gone with the daemon, so
 * no stale lock can stay.
 */
export class Lane {
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Rejects with FN_BUSY when too many wait or the turn does not come in time, with the signal's reason when that aborts before. */
  async run<T>(work: () => Promise<T>, { onWait, signal }: LaneOptions = {}): Promise<T> {
    if (this.#waiting > deployLimits.laneWaiting)
      throw busy(`${this.#waiting} deployments of this app are waiting already`);
    if (this.#waiting > 0) onWait?.();
    this.#waiting += 1;
    const turn = this.#tail;
    const done = Promise.withResolvers<void>();
    this.#tail = turn.then(() => done.promise);
    try {
      await inTime(turn, signal);
      return await work();
    } finally {
      this.#waiting -= 1;
      done.resolve();
    }
  }

  /** Resolves when nothing runs or waits any more. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}

async function inTime(turn: Promise<unknown>, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const left = Promise.withResolvers<never>();
  const leave = (): void => left.reject(signal?.reason);
  signal?.addEventListener('abort', leave, { once: true });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const why = `the deployments before this one took more than ${deployLimits.laneWaitMs / 1000} s`;
    timer = setTimeout(() => reject(busy(why)), deployLimits.laneWaitMs);
  });
  try {
    await Promise.race([turn, late, left.promise]);
  } finally {
    signal?.removeEventListener('abort', leave);
    clearTimeout(timer);
  }
}

function busy(why: string): FnrunError {
  return new FnrunError('FN_BUSY', `Cannot deploy now: ${why}`, { hint: 'try again when they are through' });
}
