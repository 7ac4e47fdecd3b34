import { databaseLimits } from '../../contract/limits.ts';
import type { DatabaseFigures } from '../../channel/frames.ts';
import { useOf } from '../invocation.ts';
import type { Invocation } from '../invocation.ts';
import type { PooledConnection } from './connection.ts';
import { databaseError } from './failures.ts';

/** Somebody who waits for a connection. */
export interface Waiter {
  callback: (error: unknown, connection?: PooledConnection) => void;
  owner: Invocation | null;
  /** Where it was asked for, by its stack; null for a single statement, which gives it back by itself. */
  takenAt: Error | null;
  since: number;
  deadlineAt: number;
}

/** What a line needs to say why somebody waited in vain. */
export interface WaitingLineOptions {
  name: string;
  log: (level: 'error', message: string, extra: { requestId: string | undefined }) => void;
  figures: DatabaseFigures;
  /** How the budget stands, in words. */
  numbers: () => string;
}

/** Those who wait for a connection in one worker, first come, first served. */
export class WaitingLine {
  readonly #options: WaitingLineOptions;
  readonly #all: Waiter[] = [];

  constructor(options: WaitingLineOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.length;
  }

  get first(): Waiter | undefined {
    return this.#all[0];
  }

  /** False: too many wait, and it was refused. */
  add(waiter: Waiter, { first }: { first: boolean }): boolean {
    const room = first || this.#all.length < databaseLimits.waiting;
    if (first) this.#all.unshift(waiter);
    else if (room) this.#all.push(waiter);
    else this.#refuse(waiter, `${databaseLimits.waiting} invocations of this worker wait already`);
    return room;
  }

  /** Whoever waits longest has waited enough. */
  next(): Waiter | undefined {
    const waiter = this.#all.shift();
    if (waiter === undefined) return undefined;
    const waitMs = performance.now() - waiter.since;
    this.#options.figures.waitMs += waitMs;
    if (waiter.owner !== null) useOf(waiter.owner).waitMs += waitMs;
    return waiter;
  }

  /** Refuses those whose time is over. */
  expire(now: number): void {
    const late = this.#all.filter(({ deadlineAt }) => deadlineAt <= now);
    for (const waiter of late) {
      this.#all.splice(this.#all.indexOf(waiter), 1);
      this.#refuse(waiter, `${this.#options.numbers()}, ${this.#all.length} more wait here`);
    }
    this.#options.figures.busy += late.length;
  }

  #refuse({ owner, since, callback }: Waiter, why: string): void {
    const { name, log } = this.#options;
    const waited = Math.round(performance.now() - since);
    const message = `Cannot get a connection to the database "${name}" within ${waited} ms: ${why}`;
    log('error', `FN_DB_BUSY: ${message}`, { requestId: owner?.requestId });
    callback(databaseError('FN_DB_BUSY', message));
  }
}
