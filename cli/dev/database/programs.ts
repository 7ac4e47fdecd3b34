import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { devDatabaseLimits } from '../../../runtime/contract/limits.ts';

const run = promisify(execFile);

/** A database server that is installed. */
export interface DatabasePrograms {
  engine: 'MariaDB' | 'MySQL';
  server: string;
  /** Makes a data folder; null: the server does that itself. */
  install: string | null;
}

/** Where packages put servers; few users have these in PATH. */
export const usualFolders: readonly string[] = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/usr/libexec',
  '/usr/local/bin',
  '/opt/homebrew/bin',
  '/usr/bin',
];

/** Finds mariadbd or mysqld in these folders; null when there is none that can be used. */
export async function findPrograms(folders: readonly string[]): Promise<DatabasePrograms | null> {
  const find = (name: string): string | null =>
    folders.map((folder) => join(folder, name)).find((file) => existsSync(file)) ?? null;
  const server = find('mariadbd') ?? find('mysqld');
  if (server === null) return null;
  const { stdout } = await run(server, ['--no-defaults', '--version'], { timeout: devDatabaseLimits.makeMs });
  if (!stdout.includes('MariaDB')) return { engine: 'MySQL', server, install: null };
  const install = find('mariadb-install-db') ?? find('mysql_install_db');
  return install === null ? null : { engine: 'MariaDB', server, install };
}

/** Makes the data folder of a server in `dataDir`, with a root that has no password. */
export async function makeData(
  { server, install }: DatabasePrograms,
  { dataDir, tmpDir, user }: { dataDir: string; tmpDir: string; user: readonly string[] },
): Promise<void> {
  const places = [`--datadir=${dataDir}`, `--tmpdir=${tmpDir}`];
  const options = { timeout: devDatabaseLimits.makeMs, env: { PATH: usualFolders.join(delimiter) } };
  if (install === null) await run(server, ['--no-defaults', '--initialize-insecure', ...user, ...places], options);
  else {
    const root = '--auth-root-authentication-method=normal';
    await run(install, ['--no-defaults', ...user, ...places, root, '--skip-test-db'], options);
  }
}

/** What a server for one person's work is started with: small, and reached by its socket only. */
export function serverArgs(
  { engine }: DatabasePrograms,
  { folder, socketPath, user }: { folder: string; socketPath: string; user: readonly string[] },
): string[] {
  const { bufferMb, connections } = devDatabaseLimits;
  const own =
    engine === 'MariaDB' ? ['--innodb-log-file-size=16M', '--aria-pagecache-buffer-size=1M'] : ['--mysqlx=OFF'];
  return [
    '--no-defaults',
    ...user,
    `--datadir=${join(folder, 'data')}`,
    `--tmpdir=${join(folder, 'tmp')}`,
    `--socket=${socketPath}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--log-error=${join(folder, 'log')}`,
    '--skip-networking',
    '--skip-log-bin',
    '--performance-schema=OFF',
    '--character-set-server=utf8mb4',
    `--max-connections=${connections}`,
    `--innodb-buffer-pool-size=${bufferMb}M`,
    // A crash of the machine may cost the last second; nothing waits for the disk at each commit.
    '--innodb-flush-log-at-trx-commit=2',
    ...own,
  ];
}
