import { databaseLimits } from '../../contract/limits.ts';
import type { DatabaseFigures } from '../../channel/frames.ts';
import { Borrowed } from './borrowed.ts';
import { PooledConnection } from './connection.ts';
import { isCrowded, marked } from './failures.ts';
import { poolConfig, RawPool } from './internals.ts';
import type { Command } from './internals.ts';
import { killConnections, killStatement } from './kill.ts';
import { optionsOf } from './options.ts';
import type { FunctionPoolOptions } from './options.ts';
import { Permits } from './permits.ts';
import { deadlineOf } from './deadlines.ts';
import { Sessions } from './session-reset.ts';
import { WaitingLine } from './waiting-line.ts';
import type { Waiter } from './waiting-line.ts';

/**
 * mysql2's pool of one database in one worker, with another way of giving out connections: it opens one only with a
 * permit of the app's budget, waits with a deadline, gives back what others need, and hands on nothing that a borrower left.
 */
export class FunctionPool extends RawPool {
  readonly #options: FunctionPoolOptions;
  readonly #permits: Permits;
  readonly #borrowed: Borrowed;
  readonly #sessions: Sessions;
  readonly #figures: DatabaseFigures = { queries: 0, rows: 0, waitMs: 0, queryMs: 0, busy: 0 };
  readonly #idle: PooledConnection[] = [];
  readonly #waiting: WaitingLine;
  /** Connections that are being made, or asked whether they live. */
  #coming = 0;
  #isInner = false;
  #addressed = false;
  #sweeper: NodeJS.Timeout | null = null;
  #figuresAt = 0;

  constructor(options: FunctionPoolOptions) {
    super({ config: poolConfig(optionsOf(options)) });
    const { name, send, settings, log, placeOf } = options;
    this.#options = options;
    this.#sessions = new Sessions({ settings });
    this.#waiting = new WaitingLine({ name, log, numbers: () => this.#numbers() });
    this.#permits = new Permits({
      name,
      send,
      figures: this.#figures,
      onGrant: () => this.#onGrant(),
      onRecall: () => this.#giveIdle(),
      // Where it cannot be done, the host frees them by time.
      onOrphans: (ids) =>
        void killConnections(this, ids).then(
          () => this.#permits.gone(ids),
          () => {},
        ),
    });
    this.#borrowed = new Borrowed({
      name,
      log,
      placeOf,
      settings,
      kill: (id) => killStatement(this, id),
      end: (it) => this.#drop(it),
    });
  }

  get permits(): Permits {
    return this.#permits;
  }

  // A statement of its own gives its connection back by itself; mysql2 asks for it before this returns.
  override query(sql: unknown, values?: unknown, callback?: unknown): Command {
    this.#isInner = true;
    try {
      return super.query(sql, values, callback);
    } finally {
      this.#isInner = false;
    }
  }

  override execute(sql: unknown, values?: unknown, callback?: unknown): void {
    this.#isInner = true;
    try {
      super.execute(sql, values, callback);
    } finally {
      this.#isInner = false;
    }
  }

  getConnection(callback: Waiter['callback']): void {
    const inner = this.#isInner;
    this.#isInner = false;
    if (!this.#addressed) {
      try {
        Object.assign(this.config.connectionConfig, this.#options.address());
      } catch (error) {
        callback(error);
        return;
      }
      this.#addressed = true;
    }
    const owner = this.#options.invocations.getStore() ?? null;
    const since = performance.now();
    const deadlineAt = deadlineOf(owner, { now: since, timeoutMs: this.#options.settings.acquireTimeoutMs });
    const takenAt = inner ? null : (new Error('taken').stack ?? '');
    if (!this.#waiting.add({ callback, owner, takenAt, since, deadlineAt })) return;
    this.#serve();
    this.#watch();
  }

  /** Called by mysql2 when a borrower has finished, and when a connection has left the pool. */
  releaseConnection(connection: PooledConnection): void {
    if (!connection.borrowed) return;
    this.#borrowed.remove(connection);
    connection.borrowed = false;
    connection.owner = null;
    if (connection._pool === null) return;
    if (!this.#sessions.mustReset(connection)) {
      this.#putBack(connection);
      return;
    }
    this.#coming++;
    void this.#sessions.reset(connection).then((clean) => {
      this.#coming--;
      if (!clean) this.#drop(connection);
      else if (connection._pool !== null) {
        // What `connection` listeners set up is gone with the rest.
        this.emit('connection', connection);
        this.#putBack(connection);
      }
      this.#serve();
    });
  }

  /** Called by mysql2 when a connection is of no use any more. */
  _removeConnection(connection: PooledConnection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.releaseConnection(connection);
    this.#whenClosed(connection);
  }

  /** A function's pool lasts as long as its worker: this closes what nobody uses now. */
  end(callback?: (error?: unknown) => void): void {
    for (const connection of this.#idle.splice(0)) this.#drop(connection);
    if (callback !== undefined) process.nextTick(callback);
  }

  #putBack(connection: PooledConnection): void {
    connection.lastActiveTime = performance.now();
    // Others wait: what is kept is what this worker has just got, as long as it has use for it.
    const held = performance.now() - connection.openedAt;
    const mayKeep = this.#waiting.size > 0 && held < databaseLimits.holdMs;
    if (this.#permits.recalled > 0 && !mayKeep) this.#drop(connection);
    else this.#idle.push(connection);
    this.emit('release', connection);
    this.#serve();
  }

  #serve(): void {
    while (this.#waiting.size > 0 && this.#idle.length > 0) {
      const connection = this.#idle.pop()!;
      const idleMs = performance.now() - connection.lastActiveTime;
      if (connection.suspect || idleMs > databaseLimits.validateAfterMs) this.#validate(connection);
      else this.#handOut(connection);
    }
    const { maxConnections } = this.#options.settings;
    const room = Math.max(0, maxConnections - this.#permits.held);
    this.#permits.want(Math.min(Math.max(0, this.#waiting.size - this.#coming), room));
    if (this.#permits.recalled > 0) this.#giveIdle();
  }

  #handOut(connection: PooledConnection): void {
    const waiter = this.#waiting.next()!;
    const waited = performance.now() - waiter.since;
    this.#figures.waitMs += waited;
    if (waiter.owner !== null) {
      waiter.owner.database ??= { queries: 0, rows: 0, waitMs: 0, queryMs: 0 };
      waiter.owner.database.waitMs += waited;
    }
    connection.lend(waiter.owner, waiter.takenAt);
    this.#borrowed.add(connection);
    this.emit('acquire', connection);
    waiter.callback(null, connection);
  }

  #validate(connection: PooledConnection): void {
    this.#coming++;
    void this.#sessions.lives(connection).then((lives) => {
      this.#coming--;
      if (lives && connection._pool !== null) {
        connection.lastActiveTime = performance.now();
        this.#idle.push(connection);
      } else {
        // What one has lost the others have likely lost too.
        for (const other of this.#idle) other.suspect = true;
        this.#drop(connection);
      }
      this.#serve();
    });
  }

  #onGrant(): void {
    if (this.#waiting.size <= this.#coming) {
      this.#permits.giveBack(null);
      return;
    }
    this.#coming++;
    const connection = new PooledConnection(this);
    void this.#sessions.open(connection, { figures: this.#figures, settings: this.#options.settings }).then((error) => {
      this.#coming--;
      if (error === null && connection._pool !== null) {
        connection.openedAt = performance.now();
        connection.lastActiveTime = connection.openedAt;
        this.#permits.opened(connection.threadId ?? 0);
        this.emit('connection', connection);
        this.#idle.push(connection);
      } else {
        this.#drop(connection);
        this.#connectFailed(error);
      }
      this.#serve();
    });
  }

  /** Whoever waits longest hears of it, but for a crowd at the server, which may be over in a moment. */
  #connectFailed(error: unknown): void {
    if (isCrowded(error)) {
      this.#coming++;
      setTimeout(() => {
        this.#coming--;
        this.#serve();
      }, databaseLimits.connectPauseMs);
      const first = this.#waiting.first;
      if (first === undefined || first.deadlineAt - performance.now() > databaseLimits.connectPauseMs) return;
    }
    this.#waiting.next()?.callback(marked(error));
  }

  #drop(connection: PooledConnection): void {
    connection.destroy();
    this.#whenClosed(connection);
  }

  /** Its permit goes back when the server has closed it too: until then it counts there. */
  #whenClosed(connection: PooledConnection): void {
    if (connection.isGone) return;
    connection.isGone = true;
    const id = connection.services === null ? null : connection.threadId;
    const { stream } = connection;
    const done = (): void => {
      clearTimeout(timer);
      this.#permits.giveBack(id);
      this.#serve();
    };
    const timer = setTimeout(() => stream.destroy(), databaseLimits.closeMs);
    if (stream.closed) done();
    else stream.once('close', done);
  }

  /** Gives connections that nobody uses to those who wait elsewhere. */
  #giveIdle(): void {
    while (this.#permits.recalled > this.#closing() && this.#waiting.size === 0 && this.#idle.length > 0) {
      this.#drop(this.#idle.shift()!);
    }
  }

  /** Permits of connections that are on their way out. */
  #closing(): number {
    return Math.max(0, this.#permits.held - this.#idle.length - this.#borrowed.size - this.#coming);
  }

  #watch(): void {
    // Not on behalf of the invocation that came first.
    this.#sweeper ??= this.#options.invocations.exit(() => setInterval(() => this.#sweep(), databaseLimits.sweepMs));
  }

  #sweep(): void {
    const now = performance.now();
    this.#figures.busy += this.#waiting.expire(now);
    if (this.#borrowed.sweep(now)) for (const other of this.#idle) other.suspect = true;
    const { idleTimeoutMs } = this.#options.settings;
    while (this.#idle.length > 0 && now - this.#idle[0]!.lastActiveTime > idleTimeoutMs)
      this.#drop(this.#idle.shift()!);
    if (now - this.#figuresAt >= databaseLimits.figuresMs) {
      this.#figuresAt = now;
      this.#permits.tellFigures();
    }
    this.#serve();
    if (this.#permits.held > 0 || this.#waiting.size > 0 || this.#sweeper === null) return;
    this.#permits.tellFigures();
    clearInterval(this.#sweeper);
    this.#sweeper = null;
  }

  #numbers(): string {
    const { used, limit, held } = this.#permits;
    const here = `${held} in this worker, ${this.#borrowed.size} of them in use; ${this.#waiting.size} more wait here`;
    return `${used} of the app's ${limit} connections are open (${here})`;
  }
}
