import type { DatabaseSettings } from '../../contract/database.ts';
import type { Borrower, Invocation } from '../invocation.ts';
import type { PooledConnection } from './connection.ts';
import { databaseError } from './failures.ts';

/** What the owner of borrowed connections does for them. */
export interface BorrowedOptions {
  name: string;
  settings: DatabaseSettings;
  log: (level: 'warn', message: string, extra?: { requestId?: string | undefined }) => void;
  placeOf: (stack: string) => string;
  /** Ends the statement that runs in the connection of this number. */
  kill: (id: number) => void;
  end: (connection: PooledConnection) => void;
}

/** The connections that functions have in hand: their statements end in time, and none outlives its invocation. */
export class Borrowed implements Borrower {
  readonly #options: BorrowedOptions;
  /** No Set: it makes a new table every few statements, and the old ones keep alive what came after (see `IdTable`). */
  readonly #all: PooledConnection[] = [];

  constructor(options: BorrowedOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.length;
  }

  add(connection: PooledConnection): void {
    connection.borrowedAt = this.#all.push(connection) - 1;
    const { owner } = connection;
    if (owner !== null && owner.borrowers?.includes(this) !== true) (owner.borrowers ??= []).push(this);
  }

  remove(connection: PooledConnection): void {
    const { borrowedAt } = connection;
    if (this.#all[borrowedAt] !== connection) return;
    const last = this.#all.pop()!;
    if (last === connection) return;
    this.#all[borrowedAt] = last;
    last.borrowedAt = borrowedAt;
  }

  /** Gives up statements that are overdue. True: there was one, and the server may be gone. */
  sweep(now: number): boolean {
    let overdue = false;
    for (const connection of this.#all.slice()) {
      const { owner } = connection;
      if (connection.deadlineAt <= now) {
        overdue = true;
        this.#giveUp(connection, 'did not answer in time');
      } else if (owner !== null && owner.done && owner.waiting === 0 && owner.deadlineAt < now) {
        // It was aborted, and its handler goes on.
        this.#reclaim(connection, owner);
      }
    }
    return overdue;
  }

  /** All of the invocation is over, `waitUntil` included. */
  settled(owner: Invocation): void {
    for (const connection of this.#of(owner)) this.#reclaim(connection, owner);
  }

  aborted(owner: Invocation): void {
    if (!this.#options.settings.killOnAbort) return;
    for (const connection of this.#of(owner)) {
      if (connection.pending > 0 && connection.threadId !== null) this.#options.kill(connection.threadId);
    }
  }

  #of(owner: Invocation): PooledConnection[] {
    return this.#all.filter((connection) => connection.owner === owner);
  }

  #giveUp(connection: PooledConnection, why: string): void {
    const { name, kill, end } = this.#options;
    const id = connection.threadId;
    connection.fail(databaseError('FN_DB_UNAVAILABLE', `The database "${name}" ${why}: a statement was given up`));
    end(connection);
    // The server would finish it all the same, and its connection counts until then.
    if (id !== null) kill(id);
  }

  /** Never released. A single statement that still runs is no leak: nobody waits for it any more. */
  #reclaim(connection: PooledConnection, owner: Invocation): void {
    const { name, log, placeOf } = this.#options;
    const { takenAt } = connection;
    if (takenAt === null) return;
    const place = placeOf(takenAt.stack ?? '');
    const message = `a connection of the database "${name}" was taken and not released${place}; it was taken back`;
    log('warn', message, { requestId: owner.requestId });
    if (connection.pending > 0) this.#giveUp(connection, 'has lost its invocation');
    else connection.release();
  }
}
