import { databaseLimits } from '../../contract/limits.ts';
import type { DatabaseFigures } from '../../channel/frames.ts';
import { Borrowed } from './borrowed.ts';
import { onServerClosed } from './closed.ts';
import { PooledConnection } from './connection.ts';
import { isCrowded, marked } from './failures.ts';
import { poolConfig, RawPool, type Command } from './internals.ts';
import { killStatement, OrphanKiller } from './kill.ts';
import { optionsOf, type FunctionPoolOptions } from './options.ts';
import { Permits } from './permits.ts';
import { deadlineOf } from './deadlines.ts';
import { Sessions } from './session-reset.ts';
import { WaitingLine, type Waiter } from './waiting-line.ts';

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
  #isFirst = false;
  readonly #orphans = new OrphanKiller(this);
  #addressed = false;
  #sweeper: NodeJS.Timeout | null = null;
  #figuresAt = 0;

  constructor(options: FunctionPoolOptions) {
    super({ config: poolConfig(optionsOf(options)) });
    const { name, send, settings, log, placeOf } = options;
    this.#options = options;
    this.#sessions = new Sessions({ settings });
    this.#waiting = new WaitingLine({
      name,
      log,
      figures: this.#figures,
      numbers: () => this.#permits.describe({ inUse: this.#borrowed.size }),
    });
    this.#permits = new Permits({
      name,
      send,
      figures: this.#figures,
      onGrant: () => this.#onGrant(),
      onRecall: () => this.#giveIdle(),
      onEnding: () => this.end(),
      onOrphans: (ids) => void this.#orphans.end(ids),
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

  override query(sql: unknown, values?: unknown, callback?: unknown): Command {
    return this.#inner(() => super.query(sql, values, callback));
  }

  override execute(sql: unknown, values?: unknown, callback?: unknown): void {
    this.#inner(() => super.execute(sql, values, callback));
  }

  /** A single statement gives its connection back by itself; mysql2 asks for that before `work` returns. */
  #inner<T>(work: () => T): T {
    this.#isInner = true;
    try {
      return work();
    } finally {
      this.#isInner = false;
    }
  }

  /** A statement that goes before all that wait, for connections that have lost their thread. */
  queryFirst(sql: string, callback: (error: Error | null, rows: unknown[]) => void): void {
    this.#isFirst = true;
    this.query(sql, [], callback);
  }

  getConnection(callback: Waiter['callback']): void {
    const inner = this.#isInner;
    this.#isInner = false;
    const first = this.#isFirst;
    this.#isFirst = false;
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
    const takenAt = inner ? null : new Error('taken');
    const ready = this.#waiting.size === 0 ? this.#idle.at(-1) : undefined;
    if (ready !== undefined && ready.isFresh(since)) {
      this.#idle.pop();
      this.#lend(ready, { callback, owner, takenAt });
      return;
    }
    const deadlineAt = deadlineOf(owner, { now: since, timeoutMs: this.#options.settings.acquireTimeoutMs });
    if (!this.#waiting.add({ callback, owner, takenAt, since, deadlineAt }, { first })) return;
    this.#serve();
    this.#watch();
  }

  /** Called by mysql2 when a borrower has finished, and when a connection has left the pool. */
  releaseConnection(connection: PooledConnection): void {
    if (!connection.borrowed) return;
    this.#borrowed.remove(connection);
    connection.giveBack();
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
    const now = performance.now();
    connection.lastActiveTime = now;
    // Others wait: what is kept is what this worker has just got, as long as it has use for it.
    const mayKeep = this.#waiting.size > 0 && now - connection.openedAt < databaseLimits.holdMs;
    if (this.#spare > 0 && !mayKeep) this.#drop(connection);
    else this.#idle.push(connection);
    this.emit('release', connection);
    if (this.#waiting.size > 0 || this.#permits.recalled > 0) this.#serve();
  }

  #serve(): void {
    while (this.#waiting.size > 0 && this.#idle.length > 0) {
      const connection = this.#idle.pop()!;
      if (connection.isFresh(performance.now())) this.#lend(connection, this.#waiting.next()!);
      else this.#validate(connection);
    }
    const room = Math.max(0, this.#options.settings.maxConnections - this.#permits.held);
    this.#permits.want(Math.min(Math.max(0, this.#waiting.size - this.#coming), room));
    if (this.#permits.recalled > 0) this.#giveIdle();
  }

  #lend(
    connection: PooledConnection,
    { callback, owner, takenAt }: Pick<Waiter, 'callback' | 'owner' | 'takenAt'>,
  ): void {
    connection.lend(owner, takenAt);
    this.#borrowed.add(connection);
    this.emit('acquire', connection);
    callback(null, connection);
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
    connection.leave();
    this.#whenClosed(connection);
  }

  /** Its permit goes back when the server has closed it too: until then it counts there. */
  #whenClosed(connection: PooledConnection): void {
    if (connection.isGone) return;
    connection.isGone = true;
    const id = connection.services === null ? null : connection.threadId;
    onServerClosed(connection, () => {
      this.#permits.giveBack(id);
      this.#serve();
    });
  }

  /** Gives connections that nobody uses to those who wait elsewhere. */
  #giveIdle(): void {
    while (this.#spare > this.#closing() && this.#waiting.size === 0 && this.#idle.length > 0) {
      this.#drop(this.#idle.shift()!);
    }
  }

  /** How many of those that others want can be given. */
  get #spare(): number {
    return Math.min(this.#permits.recalled, this.#permits.held - (this.#orphans.isAsking ? 1 : 0));
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
    this.#waiting.expire(now);
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
}
