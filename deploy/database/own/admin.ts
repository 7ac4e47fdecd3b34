import type { Connection, RowDataPacket } from 'mysql2/promise';
import { FnrunError } from '../../../runtime/contract/errors.ts';
import { appDatabaseLimits as limits } from '../../../runtime/contract/limits.ts';
import { leave } from '../../mysql/leave.ts';

/** A connection of the database server's administrator. */
export interface DatabaseAdmin {
  readonly socketPath: string;
  /** Runs a statement; `?` stands for a value. */
  run(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  close(): void;
}

/** Connects by the unix socket as root, whom the server knows by the user of this process. Rejects with FN_DB_UNAVAILABLE. */
export async function openAdmin({ socketPath }: { socketPath: string }): Promise<DatabaseAdmin> {
  const { createConnection } = await import('mysql2/promise');
  let connection: Connection;
  try {
    connection = await createConnection({ socketPath, user: 'root', connectTimeout: limits.connectMs });
  } catch (cause) {
    throw new FnrunError('FN_DB_UNAVAILABLE', `The database server at ${socketPath} cannot be asked: ${why(cause)}`, {
      cause,
      hint: 'run it as root, see that the server runs (systemctl status mariadb), or name its socket with --socket',
    });
  }
  // What ends the connection fails the statement that runs; without a listener it would end the process.
  connection.on('error', () => undefined);
  return {
    socketPath,
    run: async (sql, values = []) => {
      const [rows] = await connection.query<RowDataPacket[]>({ sql, values: [...values], timeout: limits.statementMs });
      return Array.isArray(rows) ? rows : [];
    },
    close: () => leave(connection),
  };
}

function why(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return 'nobody listens there';
  if (code === 'EACCES') return 'the socket is not yours to use';
  return code === 'ER_ACCESS_DENIED_ERROR' ? 'it does not let this user in as root' : message;
}
