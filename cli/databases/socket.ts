import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { FnrunError } from '../../runtime/contract/errors.ts';
import type { CommandOptions } from '../command.ts';

/** `--socket`, for commands of the database server's administrator. */
export const socketOption = {
  socket: { type: 'string', value: 'PATH', description: 'unix socket of the database server (default: /run/mysqld/…)' },
} as const satisfies CommandOptions;

const wellKnownSockets = ['/run/mysqld/mysqld.sock', '/var/lib/mysql/mysql.sock', '/tmp/mysql.sock'];

/** The socket that is named, else the usual one that is there; null: none is. */
export function findSocket(flag: string | undefined, { cwd }: { cwd: string }): string | null {
  if (flag !== undefined) return resolve(cwd, flag);
  return wellKnownSockets.find((path) => existsSync(path)) ?? null;
}

/** Throws FN_DB_UNAVAILABLE when there is none. */
export function requireSocket(flag: string | undefined, options: { cwd: string }): string {
  const found = findSocket(flag, options);
  if (found !== null) return found;
  throw new FnrunError('FN_DB_UNAVAILABLE', 'No database server runs here, as far as its usual sockets tell', {
    hint: 'name one with --socket PATH',
  });
}
