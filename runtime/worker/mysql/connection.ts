import { databaseLimits } from '../../contract/limits.ts';
import type { DatabaseFigures } from '../../channel/frames.ts';
import { useOf } from '../invocation.ts';
import type { Invocation } from '../invocation.ts';
import { marked } from './failures.ts';
import { RawPoolConnection } from './internals.ts';
import type { Command, Packet, RawPool, ResultHeader, Watcher } from './internals.ts';
import { isRaw, judge, serverStatus } from './sessions.ts';
import { ownCommand } from './internals.ts';

/** COM_QUIT, as a packet. */
const quit = Buffer.from([1, 0, 0, 0, 1]);

/** Commands that change nothing in a session. */
const harmless = new Set(['Prepare', 'CloseStatement', 'Ping', 'Quit']);

/** What a connection counts into, and asks for a deadline. */
export interface ConnectionServices {
  figures: DatabaseFigures;
  deadlineOf(owner: Invocation | null, now: number): number;
  /** Takes back what earlier borrowers left, before the statement that is about to be sent. */
  freshen(connection: PooledConnection): void;
  /** Takes back only what LAST_INSERT_ID() tells. */
  forgetInsertId(connection: PooledConnection): void;
}

/** The first byte of packets that may tell the status of the session, and of errors. */
const eofMark = 0xfe;
const errorMark = 0xff;

// One for all commands: a function of its own for each of them is garbage that V8 may keep for long.
function onEnd(this: Command): void {
  this.watcher?.ended(this);
}

/** A connection of mysql2's that knows who has it, how long its statements may take, and what they may have left behind. */
export class PooledConnection extends RawPoolConnection implements Watcher {
  /** Set when it may be used: what mysql2 does before is the handshake. */
  services: ConnectionServices | null = null;
  owner: Invocation | null = null;
  /** Where it was asked for, when it was handed to the handler; its stack is not read unless somebody must be told. */
  takenAt: Error | null = null;
  borrowed = false;
  /** Its place among those that are borrowed. */
  borrowedAt = -1;
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
  /** What LAST_INSERT_ID() tells: may be this borrower's, and may be of one before it. */
  #madeId = false;
  #foreignId = false;
  /** What is sent is fnrun's own: it changes nothing that must be taken back. */
  #isOwn = false;
  #status: number = serverStatus.autocommit;
  #judged = false;

  constructor(pool: RawPool) {
    super(pool, { config: pool._createConnectionConfig() });
    // mysql2 tells errors of a connection that is no longer in its pool here, and nobody else listens.
    this.on('error', () => {});
  }

  /** Hands it to `owner`: what happens from here on is theirs. */
  lend(owner: Invocation | null, takenAt: Error | null): void {
    this.owner = owner;
    this.takenAt = takenAt;
    this.borrowed = true;
    this.touched = false;
    this.#statements = 0;
    this.#foreignId ||= this.#madeId;
    this.#madeId = false;
    this._released = false;
    this.#status &= ~serverStatus.stateChanged;
  }

  /** Its borrower is done. */
  giveBack(): void {
    this.borrowed = false;
    this.owner = null;
    this.takenAt = null;
  }

  /** Whether it may be used without asking the server whether it lives. */
  isFresh(now: number): boolean {
    return !this.suspect && now - this.lastActiveTime <= databaseLimits.validateAfterMs;
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
    this.#madeId = false;
    this.#foreignId = false;
    this.#status = serverStatus.autocommit;
  }

  /** Sends what is not the borrower's: nobody is to see anything of it. */
  own<T>(send: () => T): T {
    const { borrowed } = this;
    this.borrowed = false;
    this.#isOwn = true;
    try {
      return send();
    } finally {
      this.borrowed = borrowed;
      this.#isOwn = false;
    }
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
    const mark = packet?.peekByte();
    // Results with rows end with their status in a packet that mysql2 looks at only for further results.
    if (mark === eofMark && packet!.isEOF()) this.#noteStatus(packet!.eofStatusFlags());
    else if (mark === errorMark) this.#expectError();
    super.handlePacket(packet);
  }

  override _notifyError(error: Error & { fatal?: boolean }): void {
    if ((this.services ?? null) !== null) this.#onError(error);
    super._notifyError(error);
  }

  /** Ends it as if the network had: whoever waits for a statement hears `error`. */
  fail(error: Error): void {
    this._notifyError(Object.assign(error, { fatal: true }));
    this.destroy();
  }

  /**
   * Ends it with a goodbye where nothing is under way: a server counts one that ends without as aborted, and logs it. mysql2
   * has that for a connection outside of a pool only.
   */
  leave(): void {
    const { ssl, compress } = this.config;
    // Where bytes are encrypted or compressed on their way, the end of the stream would overtake them.
    const plain = (ssl === undefined || ssl === false) && compress !== true;
    if (plain && this.services !== null && this.pending === 0 && this.stream.writable) this.write(quit);
    this.destroy();
  }

  /** A command of it is over; called again, nothing happens. */
  ended(command: Command): void {
    command.watcher = null;
    const ended = performance.now();
    const spent = ended - this.#startedAt;
    this.#startedAt = ended;
    this.pending--;
    const services = this.services!;
    this.deadlineAt = this.pending === 0 ? Infinity : services.deadlineOf(this.owner, ended);
    const { countsFor } = command;
    if (countsFor === ownCommand) return;
    const rows = this.#readResults(command);
    if (countsFor === undefined) return;
    const { figures } = services;
    figures.queries++;
    figures.rows += rows;
    figures.queryMs += spent;
    if (countsFor === null) return;
    const use = useOf(countsFor);
    use.queries++;
    use.rows += rows;
    use.queryMs += spent;
  }

  #judge(sql: unknown, values: unknown): void {
    this.#judged = true;
    if (this.#isOwn) return;
    const options = typeof sql === 'string' ? null : (sql as { sql: string; values?: unknown });
    const text = options === null ? (sql as string) : options.sql;
    const { leaves, shows, showsId, makesId, uses } = judge(text);
    if (leaves || isRaw(values) || isRaw(options?.values)) this.touched = true;
    if (this.borrowed && this.used && shows && this.#statements === 0) {
      this.services?.freshen(this);
      this.#foreignId = false;
    } else if (this.#foreignId && (showsId || (makesId && this.takenAt !== null))) {
      // Of those that make one it is not known before whether they do: what is asked for afterwards may be the one that was there.
      this.services?.forgetInsertId(this);
      this.#foreignId = false;
    }
    this.#statements++;
    if (uses) this.movedSchema = true;
    // Again: what was sent before it was judged too.
    this.#judged = true;
  }

  #watch(command: Command, services: ConnectionServices): void {
    if (this.pending++ === 0) {
      const now = performance.now();
      this.#startedAt = now;
      this.deadlineAt = services.deadlineOf(this.owner, now);
    }
    command.watcher = this;
    if (this.#isOwn) command.countsFor = ownCommand;
    else if (this.borrowed && typeof command.sql === 'string') {
      command.countsFor = this.owner;
      this.used = true;
    }
    if (command.onResult === undefined) command.on('error', this.#onError);
    command.on('end', onEnd);
  }

  /** The command that runs hears of an error of the server's. */
  #expectError(): void {
    this.touched = true;
    const command = this._command;
    const onResult = command?.onResult;
    if (onResult === undefined || (this.services ?? null) === null) return;
    command!.onResult = markingErrors(onResult);
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
      // LAST_INSERT_ID() may tell it.
      if (header.insertId !== 0) this.#madeId = true;
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

function markingErrors(onResult: NonNullable<Command['onResult']>): NonNullable<Command['onResult']> {
  return function (this: Command, error, ...rest) {
    marked(error);
    onResult.call(this, error, ...rest);
  };
}
