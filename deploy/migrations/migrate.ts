import { createHash } from 'node:crypto';
import type { RowDataPacket } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import type { DatabaseAddress } from '../../runtime/contract/database-url.ts';
import type { MigrationsInput } from '../../runtime/contract/database.ts';
import { migrationLimits } from '../../runtime/contract/limits.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { leave } from '../mysql/leave.ts';
import { applyMigration } from './apply.ts';
import { MigrationError } from './migration-error.ts';
import { planMigrations } from './plan.ts';
import type { MigrationFile } from './read.ts';
import { describe } from './session.ts';
import { makeTable, readTable } from './table.ts';

/** What to apply, where, and for whom. */
export interface MigrateOptions {
  files: readonly MigrationFile[];
  address: DatabaseAddress;
  settings: Required<MigrationsInput>;
  app: string;
  /** Empty: of no commit. */
  commit: string;
  /** Ends it, killing the statement that runs. */
  signal: AbortSignal;
  /** One line of what happens, with the word it begins with. */
  tell: (label: 'migrate' | 'warning', text: string) => void;
}

/** What came of it. */
export interface Migrated {
  applied: number;
  /** Those that had been applied before. */
  before: number;
}

/**
 * Applies what a database has not had yet, one after the other, under a lock of the server. Rejects with a MigrationError
 * at the first that fails; what was applied by then stays, and is on record.
 */
export async function migrate(options: MigrateOptions): Promise<Migrated> {
  const { files, address, settings, tell } = options;
  const deadline = AbortSignal.timeout(settings.timeoutMs);
  const signal = AbortSignal.any([options.signal, deadline]);
  const whyStopped = (): string =>
    options.signal.aborted
      ? 'the deployment was ended'
      : `all migrations together took longer than ${settings.timeoutMs / 1000} s`;
  const control = await connectTo(address);
  try {
    // Most runs find nothing to do, and so take no lock.
    const first = planMigrations(files, await readTable(control));
    for (const warning of first.warnings) tell('warning', warning);
    if (first.pending.length === 0) return { applied: 0, before: files.length };
    await unlessStopped(lock(control, { address, settings, tell }), { signal, whyStopped });
    await makeTable(control);
    const { pending } = planMigrations(files, await readTable(control));
    for (const each of pending) {
      const startedMs = performance.now();
      const { statementTimeoutMs } = settings;
      await applyMigration(each, { ...options, control, statementTimeoutMs, signal, whyStopped });
      const count = each.statements.length - each.ran;
      const resumed = each.ran === 0 ? '' : `, behind the ${each.ran} that had run`;
      const what = `${count === 1 ? '1 statement' : `${count} statements`}${resumed}`;
      tell('migrate', `${each.file.name}, ${what} (${duration(performance.now() - startedMs)})`);
    }
    return { applied: pending.length, before: files.length - pending.length };
  } catch (error) {
    if (error instanceof MigrationError) throw error;
    throw new MigrationError(`the database server: ${describe(error as Error)}`, {
      hint: 'see whether it runs, and what its own log says',
      cause: error,
    });
  } finally {
    // The lock goes with it.
    leave(control);
  }
}

/** Connects with what is needed to migrate. Rejects with a MigrationError. */
export async function connectTo(address: DatabaseAddress): Promise<Connection> {
  if (address.database === undefined) {
    throw new MigrationError('DATABASE_URL names no database', {
      hint: 'put its name at the end: mysql://user:password@host:3306/database',
    });
  }
  const { createConnection } = await import('mysql2/promise');
  try {
    const connection = await createConnection({ ...address, connectTimeout: migrationLimits.askMs });
    // It is told to whoever has a query on it.
    connection.on('error', () => {});
    return connection;
  } catch (error) {
    throw new MigrationError(`the database does not answer: ${describe(error as Error)}`, {
      hint: 'look at DATABASE_URL, and whether the server runs',
      cause: error,
    });
  }
}

/** Waits until nobody else migrates this database. */
async function lock(
  control: Connection,
  { address, settings, tell }: Pick<MigrateOptions, 'address' | 'settings' | 'tell'>,
): Promise<void> {
  // Names of locks are the whole server's, of 64 characters at most, and without regard to case.
  const name = `fnrun migrations ${createHash('sha256').update(address.database!).digest('hex').slice(0, 32)}`;
  const { lockTimeoutMs } = settings;
  const ask = async (seconds: number): Promise<boolean> => {
    const [rows] = await control.query<RowDataPacket[]>({
      sql: 'SELECT GET_LOCK(?, ?) AS got',
      values: [name, seconds],
      timeout: seconds * 1000 + migrationLimits.askMs,
    });
    return Number(rows[0]!['got']) === 1;
  };
  if (await ask(0)) return;
  tell('migrate', 'waiting for others that migrate this database');
  if (await ask(Math.ceil(lockTimeoutMs / 1000))) return;
  throw new MigrationError(`others have been migrating this database for ${lockTimeoutMs / 1000} s`, {
    hint: 'see what they do (SHOW PROCESSLIST); database.migrations.lockTimeoutMs of fnrun.json is how long to wait',
  });
}

async function unlessStopped(
  work: Promise<void>,
  { signal, whyStopped }: { signal: AbortSignal; whyStopped: () => string },
): Promise<void> {
  try {
    await unlessAborted(work, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    work.catch(() => {});
    throw new MigrationError(whyStopped(), { hint: 'nothing was applied', cause: error });
  }
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`;
}
