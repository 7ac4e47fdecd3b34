import { number, object, map, boolean, text } from './config-check.ts';
import type { Check } from './config-check.ts';
import { databaseLimits, migrationLimits } from './limits.ts';

/** What an app may have of one database; docs/mysql.md. */
export interface DatabaseInput {
  /** Connections open at once over all workers, releases and processes of the app. @default 10 */
  maxConnections?: number;
  /** How long a function may wait for a connection. @default 2000 */
  acquireTimeoutMs?: number;
  /** How long making a connection may take. @default 3000 */
  connectTimeoutMs?: number;
  /** How long one statement may take, beside what is left to the invocation. @default 30000 */
  queryTimeoutMs?: number;
  /** Time without use after which a connection is closed. @default 30000 */
  idleTimeoutMs?: number;
  /** Whether statements of an invocation are killed on the server when its client has gone. @default false */
  killOnAbort?: boolean;
  /** Whether every connection is reset after each use, even when nothing can be left on it. @default false */
  alwaysReset?: boolean;
}

/** `database` of fnrun.json: the database of DATABASE_URL, and others by name. */
export interface DatabaseConfig extends DatabaseInput {
  named?: Record<string, NamedDatabaseInput>;
  /** How migrations/*.sql are applied; false: they are not fnrun's. docs/migrations.md */
  migrations?: MigrationsInput | false;
}

/** How long migrations may take. */
export interface MigrationsInput {
  /** One statement. @default 60000 */
  statementTimeoutMs?: number;
  /** All of one push. @default 300000 */
  timeoutMs?: number;
  /** The wait for others that migrate the same database. @default 30000 */
  lockTimeoutMs?: number;
}

/** A further database. */
export interface NamedDatabaseInput extends DatabaseInput {
  /** The variable of the app's env that holds its URL. */
  env: string;
}

/** A database with every default filled in. */
export interface DatabaseSettings extends Required<DatabaseInput> {
  env: string;
}

/** The name of the database of DATABASE_URL. */
export const mainDatabase = 'main';

const rules = {
  maxConnections: { min: 1, max: databaseLimits.maxConnectionsMax, unit: 'connections' },
  acquireTimeoutMs: { min: 1, max: databaseLimits.acquireMsMax, unit: 'ms' },
  connectTimeoutMs: { min: 1, max: databaseLimits.connectMsMax, unit: 'ms' },
  queryTimeoutMs: { min: 1, max: databaseLimits.queryMsMax, unit: 'ms' },
  idleTimeoutMs: { min: 100, max: databaseLimits.idleMsMax, unit: 'ms' },
};
const checks: Record<string, Check> = {
  ...Object.fromEntries(Object.entries(rules).map(([key, rule]) => [key, number(rule)])),
  killOnAbort: boolean,
  alwaysReset: boolean,
};
const variable = text('the name of a variable such as "REPORTS_URL"', (value) => /^[A-Za-z_]\w*$/.test(value));
const named = object({ ...checks, env: variable });

const migrationMs = number({ min: 1, max: migrationLimits.msMax, unit: 'ms' });
const migrations = object({ statementTimeoutMs: migrationMs, timeoutMs: migrationMs, lockTimeoutMs: migrationMs });

/** Checks `database` of fnrun.json. */
export const checkDatabase: Check = object({
  ...checks,
  migrations: (value, at) => (value === false ? [] : migrations(value, at)),
  named: (value, at) => [
    ...map('an object of databases by name', (each, inside) => {
      const issues = named(each, inside);
      const missing = issues.length === 0 && (each as Partial<NamedDatabaseInput>).env === undefined;
      if (!missing) return issues;
      return [{ path: inside.path, message: 'a named database needs "env", the variable with its URL', known: null }];
    })(value, at),
    ...tooMany(value, at.path),
  ],
});

function tooMany(value: unknown, path: (string | number)[]): ReturnType<Check> {
  const count = typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
  const { namedMax } = databaseLimits;
  if (count <= namedMax) return [];
  return [{ path, message: `at most ${namedMax} databases can be named: there are ${count}`, known: null }];
}

/** Every database that an app's functions may use, by name. */
export function resolveDatabases(config: DatabaseConfig = {}): Record<string, DatabaseSettings> {
  const { named = {}, migrations: _, ...main } = config;
  const all = { ...named, [mainDatabase]: { ...main, env: 'DATABASE_URL' } };
  return Object.fromEntries(Object.entries(all).map(([name, input]) => [name, { ...defaults(), ...input }]));
}

/** How migrations are applied, with every default filled in; null: they are not fnrun's. */
export function resolveMigrations({ migrations = {} }: DatabaseConfig = {}): Required<MigrationsInput> | null {
  const { statementMs, totalMs, lockMs } = migrationLimits;
  if (migrations === false) return null;
  return { statementTimeoutMs: statementMs, timeoutMs: totalMs, lockTimeoutMs: lockMs, ...migrations };
}

/** Connections of each database at most, by name. */
export function connectionBudgets(config: DatabaseConfig = {}): Record<string, number> {
  return Object.fromEntries(
    Object.entries(resolveDatabases(config)).map(([name, each]) => [name, each.maxConnections]),
  );
}

function defaults(): Required<DatabaseInput> {
  const { maxConnections, acquireMs, connectMs, queryMs, idleMs } = databaseLimits;
  return {
    maxConnections,
    acquireTimeoutMs: acquireMs,
    connectTimeoutMs: connectMs,
    queryTimeoutMs: queryMs,
    idleTimeoutMs: idleMs,
    killOnAbort: false,
    alwaysReset: false,
  };
}
