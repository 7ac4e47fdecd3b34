import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseAddress } from '../../runtime/contract/database-url.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import type { Engine } from '../mysql/engine.ts';
import { runProgram } from '../run-program.ts';

/** The programs that dump and load; both engines have them by their own names. */
export interface ClientPrograms {
  engine: Engine;
  dump: string;
  client: string;
}

/** Finds them in PATH. Throws FN_BACKUP when they are not installed. */
export async function findClients(): Promise<ClientPrograms> {
  for (const [engine, dump, client] of [
    ['mariadb', 'mariadb-dump', 'mariadb'],
    ['mysql', 'mysqldump', 'mysql'],
  ] as const) {
    if ((await runProgram(dump, ['--no-defaults', '--version'])) !== null) return { engine, dump, client };
  }
  throw new FnrunError('FN_BACKUP', 'Neither mariadb-dump nor mysqldump is installed here', {
    hint: 'install the client, for example: apt install mariadb-client',
  });
}

/**
 * How to get in, as an option file that a program opens as descriptor 3 (`--defaults-extra-file=/dev/fd/3`). It has no name
 * any more when this returns, so nothing of it is left behind, and no process list shows the password.
 */
export function openOptionFile(address: DatabaseAddress, { engine }: Pick<ClientPrograms, 'engine'>): number {
  const dir = mkdtempSync(join(tmpdir(), 'fnrun-db-'));
  try {
    const file = join(dir, 'client.cnf');
    writeFileSync(file, optionText(address, { engine }), { mode: 0o600 });
    return openSync(file, 'r');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function optionText(address: DatabaseAddress, { engine }: { engine: Engine }): string {
  const { user, password, host, port, socketPath, ssl } = address;
  const lines = ['[client]'];
  const set = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) lines.push(`${name}=${quote(String(value))}`);
  };
  set('user', user);
  set('password', password);
  set('socket', socketPath);
  set('host', host);
  set('port', port);
  if (ssl?.ca !== undefined) {
    throw new FnrunError('FN_BACKUP', 'A server whose certificate a DATABASE_CA vouches for is not dumped by fnrun', {
      hint: 'run mariadb-dump --ssl-ca=FILE yourself',
    });
  }
  if (ssl !== undefined) lines.push(engine === 'mysql' ? 'ssl-mode=VERIFY_IDENTITY' : 'ssl-verify-server-cert');
  return `${lines.join('\n')}\n`;
}

function quote(value: string): string {
  return `"${value.replace(/[\\"]/g, (char) => `\\${char}`).replaceAll('\n', '\\n')}"`;
}
