import { FnrunError } from '../../../../runtime/contract/errors.ts';
import { parseServerVersion, type ServerVersion } from '../../../mysql/engine.ts';
import type { Machine, Ran } from '../../machine.ts';
import type { SetupContext } from '../../step.ts';

/** How the database server that was asked for is called on the machine. */
export interface DatabaseServer {
  engine: 'mariadb' | 'mysql';
  packages: readonly string[];
  service: string;
  /** The server's own program, which judges its configuration. */
  program: string;
  client: string;
  /** The option file that is read last. */
  configPath: string;
  /** What the distribution has, while none is installed. */
  expected: ServerVersion;
}

/** Where packages of Debian and Ubuntu put it, of both engines. */
export const databaseSocket = '/run/mysqld/mysqld.sock';
export const dataDir = '/var/lib/mysql';

const mariadbOf: Readonly<Record<string, string>> = {
  'debian 12': '10.11',
  'debian 13': '11.8',
  'ubuntu 24.04': '10.11',
};

/** The server that was asked for; null: none was. Throws FN_SETUP_FAILED when the distribution does not have it. */
export function chosenServer({ wishes, facts }: Pick<SetupContext, 'wishes' | 'facts'>): DatabaseServer | null {
  const { database } = wishes;
  if (database === 'none') return null;
  if (database === 'mariadb') {
    return {
      engine: 'mariadb',
      packages: ['mariadb-server'],
      service: 'mariadb.service',
      program: 'mariadbd',
      client: 'mariadb',
      configPath: '/etc/mysql/mariadb.conf.d/99-fnrun.cnf',
      expected: { engine: 'mariadb', version: mariadbOf[`${facts.os} ${facts.version}`] ?? '10.11' },
    };
  }
  if (facts.os !== 'ubuntu') {
    throw new FnrunError('FN_SETUP_FAILED', `${facts.os} ${facts.version} has no package of MySQL`, {
      hint: 'take MariaDB: --database mariadb',
    });
  }
  return {
    engine: 'mysql',
    packages: ['mysql-server'],
    service: 'mysql.service',
    program: 'mysqld',
    client: 'mysql',
    configPath: '/etc/mysql/mysql.conf.d/99-fnrun.cnf',
    expected: { engine: 'mysql', version: '8.0.40' },
  };
}

/** The version that is installed; null: there is none, or it is the other engine's. */
export async function installedVersion(machine: Machine, server: DatabaseServer): Promise<ServerVersion | null> {
  const { code, stdout } = await machine.run([server.program, '--no-defaults', '--version']);
  const found = code === 0 ? parseServerVersion(stdout) : null;
  if (found?.engine !== server.engine) return null;
  // A new patch of MariaDB changes nothing that is written here, and no file because of it.
  const [major, minor] = found.version.split('.');
  return server.engine === 'mariadb' ? { ...found, version: `${major}.${minor}` } : found;
}

/** Asks the running server as root. Resolves to the rows, tab between columns; null: it does not answer. */
export async function askServer(machine: Machine, server: DatabaseServer, sql: string): Promise<string[][] | null> {
  const { code, stdout } = await runSql(machine, server, sql);
  if (code !== 0) return null;
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

/** Statements as root, by the socket; on standard input, since they may hold what no list of processes should show. */
export async function runSql(machine: Machine, { client }: DatabaseServer, sql: string): Promise<Ran> {
  const how = ['--no-defaults', '--user=root', `--socket=${databaseSocket}`, '--batch', '--skip-column-names'];
  return await machine.run([client, ...how], { input: sql });
}
