import type { RowDataPacket } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import { migrationLimits } from '../../runtime/contract/limits.ts';

/** Where a database keeps what it has had. */
export const migrationsTable = 'fnrun_migrations';

/** What a database knows of one file. */
export interface MigrationRow {
  name: string;
  checksum: string;
  /** `running` without anybody that holds the lock: whoever ran it is gone. */
  state: 'running' | 'applied' | 'failed';
  /** How many of its statements ran, and stay. */
  statements: number;
  /** Over the text of these. */
  ranChecksum: string;
  /** UTC, ISO 8601. */
  appliedAt: string;
  tookMs: number;
  app: string;
  /** Empty under `fnrun dev`. */
  commit: string;
  error: string | null;
}

const createTable = `CREATE TABLE IF NOT EXISTS ${migrationsTable} (
  name VARCHAR(${migrationLimits.nameChars}) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  checksum CHAR(64) CHARACTER SET ascii NOT NULL,
  applied_at DATETIME(3) NOT NULL COMMENT 'UTC',
  took_ms INT UNSIGNED NOT NULL,
  app VARCHAR(64) NOT NULL,
  \`commit\` VARCHAR(64) NOT NULL,
  state VARCHAR(10) NOT NULL COMMENT 'running, applied or failed',
  statements INT UNSIGNED NOT NULL COMMENT 'that ran, and stay',
  ran_checksum CHAR(64) CHARACTER SET ascii NOT NULL,
  error TEXT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4`;

const noSuchTable = 1146;
const timeout = migrationLimits.askMs;

/** What was applied, and what failed; nothing where the table is not there. */
export async function readTable(connection: Connection): Promise<MigrationRow[]> {
  // As text: neither the session's time zone nor mysql2's settings take part.
  const sql = `SELECT name, checksum, state, statements, ran_checksum, took_ms, app, \`commit\`, error,
    DATE_FORMAT(applied_at, '%Y-%m-%dT%H:%i:%s.%f') AS applied_at FROM ${migrationsTable}`;
  try {
    const [rows] = await connection.query<RowDataPacket[]>({ sql, timeout });
    return rows.map((row) => ({
      name: row['name'],
      checksum: row['checksum'],
      state: row['state'],
      statements: Number(row['statements']),
      ranChecksum: row['ran_checksum'],
      appliedAt: `${String(row['applied_at']).slice(0, 23)}Z`,
      tookMs: Number(row['took_ms']),
      app: row['app'],
      commit: row['commit'],
      error: row['error'],
    }));
  } catch (error) {
    if ((error as { errno?: number }).errno === noSuchTable) return [];
    throw error;
  }
}

/** Makes the table where it is not there. */
export async function makeTable(connection: Connection): Promise<void> {
  await connection.query({ sql: createTable, timeout });
}

/** Notes that a file is being applied, before its first statement is sent. */
export async function noteStart(
  connection: Connection,
  row: Pick<MigrationRow, 'name' | 'checksum' | 'statements' | 'ranChecksum' | 'app' | 'commit'>,
): Promise<void> {
  const { name, checksum, statements, ranChecksum, app, commit } = row;
  await connection.query({
    sql: `REPLACE INTO ${migrationsTable}
      (name, checksum, statements, ran_checksum, app, \`commit\`, applied_at, took_ms, state, error)
      VALUES (?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3), 0, 'running', NULL)`,
    values: [name, checksum, statements, ranChecksum, app, commit],
    timeout,
  });
}

/** Notes how far a file is, or how it ended. */
export async function noteProgress(
  connection: Connection,
  row: Pick<MigrationRow, 'name' | 'state' | 'statements' | 'ranChecksum' | 'tookMs' | 'error'>,
): Promise<void> {
  const { name, state, statements, ranChecksum, tookMs, error } = row;
  await connection.query({
    sql: `UPDATE ${migrationsTable} SET state = ?, statements = ?, ran_checksum = ?, took_ms = ?, error = ?,
      applied_at = UTC_TIMESTAMP(3) WHERE name = ?`,
    values: [state, statements, ranChecksum, Math.round(tookMs), error, name],
    timeout,
  });
}
