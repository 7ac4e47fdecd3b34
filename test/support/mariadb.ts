import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';
import { eventually, within } from './deadline.ts';
import { makeTempDir } from './temp-dir.ts';

const run = promisify(execFile);

/** A MariaDB server of a test's own, with an empty database `app` and a user `app` that may do all in it. */
export interface MariaDb extends AsyncDisposable {
  readonly socketPath: string;
  readonly port: number;
  readonly dataDir: string;
  /** DATABASE_URL over the unix socket. */
  readonly url: string;
  /** The same over TCP, by way of another port if one is given. */
  tcpUrl(port?: number): string;
  /** A connection as root, ended with the server. */
  readonly root: Connection;
  /** Runs statements as root, one after the other; resolves with the rows of the last. */
  sql(...statements: string[]): Promise<Record<string, unknown>[]>;
  /** Connections of the user `app`, and of all others but root's own. */
  connections(): Promise<number>;
  /** Ends the server at once, or lets it end by itself. */
  stop(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  start(): Promise<void>;
}

/** What the server is started with beside the usual. */
export interface MariaDbOptions {
  args?: readonly string[];
  /** Text of an option file: then it is the file's settings that are in force, and not those that make tests quick. */
  config?: string;
}

/** What tests need no more than: little memory, no waiting for the disk. */
const quick = [
  '--bind-address=127.0.0.1',
  '--skip-name-resolve',
  '--skip-log-bin',
  '--innodb-buffer-pool-size=32M',
  '--innodb-log-file-size=16M',
  '--innodb-flush-log-at-trx-commit=0',
];

/** Makes a data folder and starts a server in it: takes about two seconds. */
export async function startMariaDb({ args = [], config }: MariaDbOptions = {}): Promise<MariaDb> {
  const folder = await makeTempDir('fdb-');
  const dataDir = join(folder.path, 'data');
  const socketPath = join(folder.path, 's.sock');
  const port = await freePort();
  // As root it must be told so; any other user runs it as itself.
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  // Servers that start clear the temporary folder of what others have there.
  const tmpDir = join(folder.path, 'tmp');
  await mkdir(tmpDir);
  await chmod(folder.path, 0o755);
  await run('mariadb-install-db', [
    '--no-defaults',
    ...user,
    `--datadir=${dataDir}`,
    `--tmpdir=${tmpDir}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ]);
  const file = join(folder.path, 'my.cnf');
  if (config !== undefined) await writeFile(file, config);
  const options = [
    config === undefined ? '--no-defaults' : `--defaults-file=${file}`,
    ...user,
    `--datadir=${dataDir}`,
    `--tmpdir=${tmpDir}`,
    `--socket=${socketPath}`,
    `--port=${port}`,
    `--pid-file=${join(folder.path, 'pid')}`,
    `--log-error=${join(folder.path, 'log')}`,
    ...(config === undefined ? quick : []),
    ...args,
  ];
  let child: ChildProcess | null = null;
  let root: Connection | null = null;
  const connect = async (): Promise<Connection> => {
    const connection = await createConnection({ socketPath, user: 'root' });
    // A server that stops ends it.
    connection.on('error', () => {});
    return connection;
  };
  const start = async (): Promise<void> => {
    const process = spawn('mariadbd', options, { stdio: 'ignore', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
    child = process;
    root = await eventually(
      async () => {
        if (process.exitCode !== null) throw new Error(await readFile(join(folder.path, 'log'), 'utf8'));
        return await connect();
      },
      { deadlineMs: 30_000, everyMs: 20 },
    );
  };
  const stop = async (signal: 'SIGKILL' | 'SIGTERM' = 'SIGTERM'): Promise<void> => {
    root?.destroy();
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await within(30_000, 'the end of the database server', ended);
  };
  const sql: MariaDb['sql'] = async (...statements) => {
    let rows: unknown = [];
    for (const statement of statements) [rows] = await root!.query(statement);
    return rows as Record<string, unknown>[];
  };
  await start();
  await sql(
    'CREATE DATABASE app CHARACTER SET utf8mb4',
    "CREATE USER app@'%' IDENTIFIED BY 'pa ss'",
    "GRANT ALL ON app.* TO app@'%'",
    'CREATE DATABASE other',
    "GRANT ALL ON other.* TO app@'%'",
  );
  return {
    socketPath,
    port,
    dataDir,
    url: `mysql://app:pa%20ss@localhost/app?socketPath=${encodeURIComponent(socketPath)}`,
    tcpUrl: (other = port) => `mysql://app:pa%20ss@127.0.0.1:${other}/app`,
    get root() {
      return root!;
    },
    sql,
    connections: async () => {
      const [row] = await sql(
        "SELECT VARIABLE_VALUE AS n FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'THREADS_CONNECTED'",
      );
      return Number(row!['n']) - 1;
    },
    stop,
    start,
    async [Symbol.asyncDispose]() {
      await stop('SIGKILL');
      await folder.remove();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What the builder makes of `import { … } from "fnrun/mysql"`, for modules that tests write as bundles. */
export const importMysql =
  "const { pool, callbackPool, database, transaction } = globalThis[Symbol.for('fnrun.mysql')]();\n";
