import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { FnrunError } from '../../../runtime/contract/errors.ts';
import { databaseServerLimits as limits } from '../../../runtime/contract/limits.ts';
import { parseServerVersion } from '../engine.ts';
import { leave } from '../leave.ts';
import type { ServerAddress } from './address.ts';
import type { Account, ServerReading, Values } from './reading.ts';

export interface ReadOptions {
  /** Time between the two samples. @default 1000 */
  sampleMs?: number;
  /** How long logging in may take. @default 5000 */
  connectMs?: number;
  signal: AbortSignal;
}

/**
 * Reads a running server: its variables, its status twice with `sampleMs` between, its accounts and the size of its
 * data where the user may. Changes nothing. Rejects with FN_DB_UNAVAILABLE.
 */
export async function readServer(
  address: ServerAddress,
  { sampleMs = limits.sampleMs, connectMs = limits.connectMs, signal }: ReadOptions,
): Promise<ServerReading> {
  const connection = await connect(address, { connectMs });
  try {
    const variables = await readValues(connection, 'SHOW GLOBAL VARIABLES');
    const server = parseServerVersion(variables['version'] ?? '');
    if (server === null) {
      throw new FnrunError('FN_DB_UNAVAILABLE', `The server calls itself ${JSON.stringify(variables['version'])}`, {
        hint: 'fnrun knows MariaDB and MySQL',
      });
    }
    const pingMs = await ping(connection);
    const startedAt = performance.now();
    const before = await readValues(connection, 'SHOW GLOBAL STATUS');
    await delay(sampleMs, undefined, { signal });
    const after = await readValues(connection, 'SHOW GLOBAL STATUS');
    const sampleSeconds = (performance.now() - startedAt) / 1000;
    const accounts = await readAccounts(connection);
    const dataMb = await readDataMb(connection);
    return { server, variables, before, after, sampleSeconds, pingMs, accounts, dataMb };
  } catch (error) {
    throw error instanceof FnrunError || signal.aborted ? error : unavailable(error, address);
  } finally {
    leave(connection);
  }
}

async function ping(connection: Connection): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < limits.pings; i++) {
    const began = performance.now();
    await rows(connection, 'SELECT 1');
    times.push(performance.now() - began);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(limits.pings / 2)]!;
}

async function connect(address: ServerAddress, { connectMs }: { connectMs: number }): Promise<Connection> {
  // Loaded here: the command line's other commands do without it.
  const { createConnection } = await import('mysql2');
  const connection = createConnection({ ...address, connectTimeout: connectMs });
  // What ends the connection fails the query that runs; without a listener it would end the process.
  connection.on('error', () => undefined);
  const loggedIn = new Promise<void>((resolve, reject) => {
    connection.connect((error) => (error === null ? resolve() : reject(error)));
    // mysql2's own timeout ends with the first byte; a server may stop talking after that.
    AbortSignal.timeout(connectMs).addEventListener('abort', () =>
      reject(Object.assign(new Error('The server did not let us in in time'), { code: 'ETIMEDOUT' })),
    );
  });
  try {
    await loggedIn;
    return connection.promise();
  } catch (error) {
    connection.destroy();
    throw unavailable(error, address);
  }
}

async function rows(connection: Connection, sql: string): Promise<RowDataPacket[]> {
  const [found] = await connection.query<RowDataPacket[]>({ sql, timeout: limits.queryMs });
  return found;
}

async function readValues(connection: Connection, sql: string): Promise<Values> {
  const found = await rows(connection, sql);
  return Object.fromEntries(
    found.map((row) => [String(row['Variable_name']).toLowerCase(), String(row['Value'] ?? '')]),
  );
}

/** Servers bring these themselves, locked. */
const systemAccounts = `'mariadb.sys', 'mysql.sys', 'mysql.session', 'mysql.infoschema'`;

async function readAccounts(connection: Connection): Promise<Account[] | null> {
  // Compared here: MariaDB's mysql.user is a view, whose computed columns have the collation of whoever made it, which does
  // not compare with that of this connection.
  const sql = `SELECT User AS user, Host AS host, Select_priv AS selects, authentication_string AS proof, plugin
    FROM mysql.user WHERE Host <> '' AND User NOT IN (${systemAccounts}) LIMIT ${limits.accounts}`;
  try {
    const found = await rows(connection, sql);
    return found.map((row) => ({
      user: String(row['user']),
      host: String(row['host']),
      open: String(row['proof'] ?? '') === '' && !/^(?:unix|auth)_socket$/.test(String(row['plugin'])),
      everywhere: row['selects'] === 'Y',
    }));
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}

async function readDataMb(connection: Connection): Promise<number | null> {
  const sql = `SELECT COALESCE(SUM(data_length + index_length), 0) AS bytes FROM information_schema.tables
    WHERE engine = 'InnoDB'`;
  // With very many tables it takes longer than the doctor waits, and it is not worth failing for.
  const found = await rows(connection, sql).catch(() => []);
  const bytes = Number(found[0]?.['bytes']);
  return Number.isFinite(bytes) ? Math.round(bytes / 2 ** 20) : null;
}

function isRefusal(error: unknown): boolean {
  const codes = ['ER_TABLEACCESS_DENIED_ERROR', 'ER_DBACCESS_DENIED_ERROR', 'ER_SPECIFIC_ACCESS_DENIED_ERROR'];
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function unavailable(cause: unknown, { socketPath, host, port, user }: ServerAddress): FnrunError {
  const where = socketPath ?? `${host}:${port}`;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such socket',
    ECONNREFUSED: 'nobody listens there',
    EACCES: 'the socket is not yours to use',
    ETIMEDOUT: 'it did not answer in time',
    PROTOCOL_SEQUENCE_TIMEOUT: 'it did not answer in time',
    ER_ACCESS_DENIED_ERROR: `it does not let ${user} in`,
  };
  const why = reasons[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new FnrunError('FN_DB_UNAVAILABLE', `The database server at ${where} cannot be asked: ${why}`, {
    cause,
    hint: 'name it with --socket or --url (or DATABASE_URL), and as root for all checks',
  });
}
