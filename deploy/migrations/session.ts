import type { Connection as CoreConnection } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import type { DatabaseAddress } from '../../runtime/contract/database-url.ts';
import { migrationLimits } from '../../runtime/contract/limits.ts';
import { leave } from '../mysql/leave.ts';

/** How a statement ended. `unknown`: nobody can tell whether it ran. */
export type Outcome =
  | { kind: 'ran'; inTransaction: boolean | null; late: string | null }
  | { kind: 'failed'; why: string }
  | { kind: 'unknown'; why: string };

/** What bounds a statement. */
export interface Bounds {
  timeoutMs: number;
  /** Ends it; its reason is nobody's to tell here. */
  signal: AbortSignal;
}

/** A connection that statements of a migration run on, with one beside it that can end them. */
export class MigrationSession implements AsyncDisposable {
  readonly #core: CoreConnection;
  readonly #control: Connection;

  private constructor(core: CoreConnection, control: Connection) {
    this.#core = core;
    this.#control = control;
  }

  /** `control` stays its caller's. */
  static async open(address: DatabaseAddress, control: Connection): Promise<MigrationSession> {
    const { createConnection } = await import('mysql2');
    const core = createConnection({
      ...address,
      connectTimeout: migrationLimits.askMs,
      // LOAD DATA LOCAL would read files of the machine that deploys.
      flags: ['-LOCAL_FILES'],
    });
    await new Promise<void>((resolve, reject) => core.connect((error) => (error === null ? resolve() : reject(error))));
    // It is told to whoever has a statement on it.
    core.on('error', () => {});
    const session = new MigrationSession(core, control);
    // As the functions' own sessions are: what NOW() says must not depend on who asks.
    const sql = "SET time_zone = '+00:00'";
    const outcome = await session.run(sql, { timeoutMs: migrationLimits.askMs, signal: new AbortController().signal });
    if (outcome.kind === 'ran') return session;
    core.destroy();
    throw new Error(outcome.why);
  }

  /** Runs one statement to its end, or kills it on the server. Never rejects. */
  async run(sql: string, { timeoutMs, signal }: Bounds): Promise<Outcome> {
    const running = this.#send(sql);
    const stop = Promise.withResolvers<string>();
    const timer = setTimeout(() => stop.resolve(`it ran longer than ${timeoutMs / 1000} s`), timeoutMs);
    const onAbort = (): void => stop.resolve('the deployment was ended');
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      const first = await Promise.race([running, stop.promise]);
      if (typeof first !== 'string') return first;
      return await this.#kill(running, first);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    leave(this.#core);
    return Promise.resolve();
  }

  async #kill(running: Promise<Outcome>, why: string): Promise<Outcome> {
    const late = Promise.withResolvers<null>();
    const timer = setTimeout(() => late.resolve(null), migrationLimits.killMs);
    try {
      const sql = `KILL QUERY ${this.#core.threadId}`;
      await this.#control.query({ sql, timeout: migrationLimits.askMs }).catch(() => {});
      const ended = await Promise.race([running, late.promise]);
      if (ended === null) return { kind: 'unknown', why: `${why}, and did not end when it was killed` };
      if (ended.kind === 'ran') return { ...ended, late: why };
      return { ...ended, why };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Rows are dropped as they come: a migration must not fill the memory of the server it is deployed by. */
  #send(sql: string): Promise<Outcome> {
    return new Promise((resolve) => {
      let inTransaction: boolean | null = null;
      const query = this.#core.query(sql);
      query.on('result', (result: object) => {
        const { serverStatus } = result as { serverStatus?: unknown };
        const isHeader = result.constructor.name === 'ResultSetHeader' && typeof serverStatus === 'number';
        if (isHeader) inTransaction = (serverStatus & inTransactionFlag) !== 0;
      });
      query.on('error', (error: { errno?: number; message: string; fatal?: boolean }) => {
        const why = describe(error);
        const answered = error.errno !== undefined && error.errno >= 1000 && error.fatal !== true;
        resolve(answered ? { kind: 'failed', why } : { kind: 'unknown', why });
      });
      query.on('end', () => resolve({ kind: 'ran', inTransaction, late: null }));
    });
  }
}

/** SERVER_STATUS_IN_TRANS of the protocol. */
const inTransactionFlag = 1;

/** `Duplicate column name 'total' (1060)` */
export function describe(error: { errno?: number; message: string }): string {
  const text = error.message.replaceAll(/\s+/g, ' ').slice(0, migrationLimits.errorChars);
  return error.errno !== undefined && error.errno > 0 ? `${text} (${error.errno})` : text;
}
