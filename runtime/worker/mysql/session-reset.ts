import type { DatabaseSettings } from '../../contract/database.ts';
import { databaseLimits } from '../../contract/limits.ts';
import type { DatabaseFigures } from '../../channel/frames.ts';
import { databaseError } from './failures.ts';
import type { PooledConnection } from './connection.ts';
import { deadlineOf } from './deadlines.ts';

/**
 * What a session is set to when it is made and after each reset. Times are UTC whatever the server's zone is, as
 * mysql2 is told to read them; IGNORE_SPACE is what mysql2 asks for when it connects; and the server tells of every
 * change of the session's state.
 */
const setUpWithout = [
  'SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci',
  "time_zone = '+00:00'",
  "sql_mode = CONCAT(@@sql_mode, ',IGNORE_SPACE')",
].join(', ');
const setUp = `${setUpWithout}, session_track_state_change = 1`;
/** What a server without session tracking says. */
const unknownVariable = 1193;

/** Makes sessions, and makes them new again. */
export class Sessions {
  readonly #settings: DatabaseSettings;
  #tracked = true;

  constructor({ settings }: { settings: DatabaseSettings }) {
    this.#settings = settings;
  }

  /** Whether what a borrower left must be taken back. */
  mustReset(connection: PooledConnection): boolean {
    return this.#settings.alwaysReset || !this.#tracked || connection.isDirty;
  }

  /** Waits until a connection can be used. Resolves with what was wrong; null: nothing. */
  async open(
    connection: PooledConnection,
    { figures, settings }: { figures: DatabaseFigures; settings: DatabaseSettings },
  ): Promise<unknown> {
    try {
      await new Promise<void>((resolve, reject) => {
        connection.connect((error) => (error === null || error === undefined ? resolve() : reject(error)));
      });
      connection.services = {
        figures,
        deadlineOf: (owner, now) => deadlineOf(owner, { now, timeoutMs: settings.queryTimeoutMs }),
        // When it fails the statement behind it fails as well.
        freshen: (used) => void this.#renew(used).catch(() => {}),
        forgetInsertId: (used) => void used.own(() => used.query('SET last_insert_id = 0', [], () => {})),
      };
      await within(settings.connectTimeoutMs, this.#setUp(connection));
      connection.isNew();
      return null;
    } catch (error) {
      return error;
    }
  }

  /** Takes back everything that was done to the session. False: it is of no use any more. */
  async reset(connection: PooledConnection): Promise<boolean> {
    try {
      await within(databaseLimits.resetMs, this.#renew(connection));
      connection.isNew();
      return true;
    } catch {
      return false;
    }
  }

  /** Whether the server answers. */
  async lives(connection: PooledConnection): Promise<boolean> {
    try {
      await within(
        databaseLimits.pingMs,
        call((done) => connection.ping(done)),
      );
      connection.suspect = false;
      return true;
    } catch {
      return false;
    }
  }

  /** COM_RESET_CONNECTION takes 58 µs, with the set-up 108; COM_CHANGE_USER, which needs it too, 117 without. */
  async #renew(connection: PooledConnection): Promise<void> {
    const { movedSchema } = connection;
    const { database } = connection.config;
    if (movedSchema && database === undefined) throw new Error('the session had no default database');
    const steps = connection.own(() => [
      call((done) => connection.reset(done)),
      this.#setUp(connection),
      ...(movedSchema
        ? [call((done) => connection.query(`USE \`${database!.replaceAll('`', '``')}\``, [], done))]
        : []),
    ]);
    await Promise.all(steps);
  }

  #setUp(connection: PooledConnection): Promise<void> {
    const set = (sql: string): Promise<void> => call((done) => connection.query(sql, [], done));
    if (!this.#tracked) return set(setUpWithout);
    return set(setUp).catch((error: { errno?: number }) => {
      if (error.errno !== unknownVariable) throw error;
      this.#tracked = false;
      return set(setUpWithout);
    });
  }
}

function call(work: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    work((error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(databaseError('FN_DB_UNAVAILABLE', `The database did not answer within ${ms} ms`)),
      ms,
    );
  });
  // It may still fail when nobody waits any more.
  work.catch(() => {});
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
