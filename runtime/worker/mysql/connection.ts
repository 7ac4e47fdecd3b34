import type { DatabaseFigures } from '../../channel/frames.ts';
import { useOf } from '../invocation.ts';
import type { Invocation } from '../invocation.ts';
import { marked } from './failures.ts';
import { RawPoolConnection } from './internals.ts';
import type { Command, Packet, RawPool, ResultHeader } from './internals.ts';
import { isRaw, judge, serverStatus } from './sessions.ts';

/** Commands that change nothing in a session. */
const harmless = new Set(['Prepare', 'CloseStatement', 'Ping', 'Quit']);

/** What a connection counts into, and asks for a deadline. */
export interface ConnectionServices {
  figures: DatabaseFigures;
  deadlineOf(owner: Invocation | null): number;
  /** Takes back what earlier borrowers left, before the statement that is about to be sent. */
  freshen(connection: PooledConnection): void;
}

/** A connection of mysql2's that knows who has it, how long its statements may take, and what they may have left behind. */
export class PooledConnection extends RawPoolConnection {
  /** Set when it may be used: what mysql2 does before is the handshake. */
  services: ConnectionServices | null = null;
  owner: Invocation | null = null;
  /** Where it was asked for, when it was handed to the handler. */
  takenAt: string | null = null;
  borrowed = false;
  openedAt = 0;
  /** Something may have been left in the session by the borrower. */
  touched = false;
  /** The default database may be another than the configured one. */
  movedSchema = false;
  /** A borrower has used it since it was made or reset. */
  used = false;
  /** It must prove that it lives before it is used. */
  suspect = false;
  /** Its permit was given back. */
  isGone = false;
  pending = 0;
  /** When the statement that runs must be over, by `performance.now()`. */
  deadlineAt = Infinity;
  #startedAt = 0;
  /** Statements of this borrower. */
  #statements = 0;
  #status: number = serverStatus.autocommit;
  #judged = false;

  constructor(pool: RawPool) {
    super(pool, { config: pool._createConnectionConfig() });
    // mysql2 tells errors of a connection that is no longer in its pool here, and nobody else listens.
    this.on('error', () => {});
  }

  /** Hands it to `owner`: what happens from here on is theirs. */
  lend(owner: Invocation | null, takenAt: string | null): void {
    this.owner = owner;
    this.takenAt = takenAt;
    this.borrowed = true;
    this.touched = false;
    this.#statements = 0;
    this._released = false;
    this.#status &= ~serverStatus.stateChanged;
  }

  /** Whether the next borrower could see anything of this one. */
  get isDirty(): boolean {
    const clean = (this.#status & (serverStatus.inTransaction | serverStatus.autocommit)) === serverStatus.autocommit;
    return this.touched || this.pending > 0 || !clean || (this.#status & serverStatus.stateChanged) !== 0;
  }

  /** The session is as a new one. */
  isNew(): void {
    this.touched = false;
    this.movedSchema = false;
    this.used = false;
    this.#status = serverStatus.autocommit;
  }

  override query(sql: unknown, values?: unknown, callback?: unknown): Command {
    this.#judge(sql, values);
    try {
      return super.query(sql, values, callback);
    } finally {
      this.#judged = false;
    }
  }

  override execute(sql: unknown, values?: unknown, callback?: unknown): Command {
    this.#judge(sql, null);
    try {
      return super.execute(sql, values, callback);
    } finally {
      this.#judged = false;
    }
  }

  override addCommand(command: Command): Command {
    // Undefined while mysql2's constructor sends the handshake.
    if ((this.services ?? null) === null) return super.addCommand(command);
    if (this.borrowed && !this.#judged && !harmless.has(command.constructor.name)) this.touched = true;
    this.#watch(command, this.services!);
    return super.addCommand(command);
  }

  override handlePacket(packet?: Packet): void {
    // Results with rows end with their status in a packet that mysql2 looks at only for further results.
    if (packet?.isEOF() === true) this.#noteStatus(packet.eofStatusFlags());
    super.handlePacket(packet);
  }

  /** Ends it as if the network had: whoever waits for a statement hears `error`. */
  fail(error: Error): void {
    this._notifyError(Object.assign(error, { fatal: true }));
    this.destroy();
  }

  #judge(sql: unknown, values: unknown): void {
    const options = typeof sql === 'string' ? null : (sql as { sql: string; values?: unknown });
    const text = options === null ? (sql as string) : options.sql;
    const { leaves, shows } = judge(text);
    if (leaves || isRaw(values) || isRaw(options?.values)) this.touched = true;
    if (shows && this.borrowed && this.used && this.#statements === 0) this.services?.freshen(this);
    this.#statements++;
    if (/^\s*use\b/i.test(text)) this.movedSchema = true;
    this.#judged = true;
  }

  #watch(command: Command, services: ConnectionServices): void {
    const { figures } = services;
    const now = performance.now();
    if (this.pending++ === 0) {
      this.#startedAt = now;
      this.deadlineAt = services.deadlineOf(this.owner);
    }
    const { owner } = this;
    const counts = typeof command.sql === 'string' && this.borrowed;
    if (counts) this.used = true;
    this.#watchErrors(command);
    command.once('end', () => {
      const ended = performance.now();
      const spent = ended - this.#startedAt;
      this.#startedAt = ended;
      this.deadlineAt = --this.pending === 0 ? Infinity : services.deadlineOf(this.owner);
      const rows = this.#readResults(command);
      if (!counts) return;
      figures.queries++;
      figures.rows += rows;
      figures.queryMs += spent;
      if (owner === null) return;
      const use = useOf(owner);
      use.queries++;
      use.rows += rows;
      use.queryMs += spent;
    });
  }

  #watchErrors(command: Command): void {
    const { onResult } = command;
    if (onResult === undefined) {
      command.on('error', this.#onError);
      return;
    }
    command.onResult = (error, ...rest) => {
      if (error !== null && error !== undefined) this.#onError(error);
      onResult.call(command, error, ...rest);
    };
  }

  // What a statement did before it failed is not told.
  #onError = (error: unknown): void => {
    marked(error);
    this.touched = true;
  };

  #readResults(command: Command): number {
    let rows = 0;
    for (const result of command._rows ?? []) {
      if (Array.isArray(result)) {
        rows += result.length;
        continue;
      }
      const header = result as ResultHeader | null;
      if (header?.serverStatus === undefined) continue;
      rows += header.affectedRows;
      // LAST_INSERT_ID() would tell it.
      if (header.insertId !== 0) this.touched = true;
      this.#noteStatus(header.serverStatus);
      if ((header.stateChanges?.schema ?? null) !== null) this.movedSchema = true;
    }
    return rows;
  }

  /** A change of state counts until it is undone; the rest is as it is now. */
  #noteStatus(status: number): void {
    this.#status = status | (this.#status & serverStatus.stateChanged);
  }
}
