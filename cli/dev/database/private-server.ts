import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, lstat, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RowDataPacket } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import { devDatabaseLimits } from '../../../runtime/contract/limits.ts';
import { leave } from '../../../deploy/mysql/leave.ts';
import { makeData, serverArgs } from './programs.ts';
import type { DatabasePrograms } from './programs.ts';

/** A server that answers. */
export interface PrivateServer {
  /** `MariaDB 10.11.19` */
  version: string;
  /** Of the app's database. */
  url: string;
  /** Resolves when it has ended, or is lost. */
  ended: Promise<void>;
  /** Ends it, if this process has started it. */
  stop(): Promise<void>;
}

/**
 * Waits for the server, and ends it when the pipe that is its standard input closes: that happens however the process
 * dies that holds the other end. In a session of its own, Ctrl-C does not reach it.
 */
const keeper =
  'exec 3<&0\n"$@" </dev/null &\np=$!\n{ read -r _ <&3; kill "$p"; } 2>/dev/null &\nr=$!\nwait "$p"\nkill "$r"';

/** Takes over the server that has this folder, or starts it; makes the folder, the database and its user where they are missing. */
export async function openPrivateServer(folder: string, programs: DatabasePrograms): Promise<PrivateServer> {
  await mkdir(join(folder, 'tmp'), { recursive: true });
  // Root has no password: who reaches the socket is who may enter the folder.
  await chmod(folder, 0o700);
  const socketPath = await socketPathOf(folder);
  // As root it must be told that it is to stay so; any other user runs it as itself.
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  const there = await connect(socketPath).catch(() => null);
  if (there !== null) return await serverOf(there, { socketPath, child: null });
  const dataDir = join(folder, 'data');
  if (!existsSync(dataDir)) await makeWhole(dataDir, { folder, programs, user });
  await rm(join(folder, 'log'), { force: true });
  const args = serverArgs(programs, { folder, socketPath, user });
  const child = spawn('/bin/sh', ['-c', keeper, 'sh', programs.server, ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  try {
    return await serverOf(await reach(child, { socketPath, folder }), { socketPath, child });
  } catch (error) {
    await end(child);
    throw error;
  }
}

/** What a dev that was killed meanwhile has left is never taken for a whole folder. */
async function makeWhole(
  dataDir: string,
  { folder, programs, user }: { folder: string; programs: DatabasePrograms; user: readonly string[] },
): Promise<void> {
  const staging = `${dataDir}.new-${process.pid}`;
  await rm(staging, { recursive: true, force: true });
  try {
    await makeData(programs, { dataDir: staging, tmpDir: join(folder, 'tmp'), user });
    await rename(staging, dataDir);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    // Another dev was quicker.
    if (!existsSync(dataDir)) throw error;
  }
}

async function serverOf(
  root: Connection,
  { socketPath, child }: { socketPath: string; child: ChildProcess | null },
): Promise<PrivateServer> {
  const lost = once(root as unknown as NodeJS.EventEmitter, 'end').then(() => {});
  for (const sql of [
    'CREATE DATABASE IF NOT EXISTS app CHARACTER SET utf8mb4',
    "CREATE USER IF NOT EXISTS app@localhost IDENTIFIED BY ''",
    'GRANT ALL ON app.* TO app@localhost',
  ]) {
    await root.query({ sql, timeout: devDatabaseLimits.startMs });
  }
  const [rows] = await root.query<RowDataPacket[]>('SELECT VERSION() AS version');
  const version = String(rows[0]!['version']);
  return {
    version: version.includes('MariaDB') ? `MariaDB ${version.split('-')[0]}` : `MySQL ${version}`,
    url: `mysql://app@localhost/app?socketPath=${encodeURIComponent(socketPath)}`,
    ended: lost,
    stop: async () => {
      leave(root);
      if (child !== null) await end(child);
    },
  };
}

async function reach(
  child: ChildProcess,
  { socketPath, folder }: { socketPath: string; folder: string },
): Promise<Connection> {
  const { startMs, retryMs } = devDatabaseLimits;
  const deadline = performance.now() + startMs;
  let exited = false;
  child.once('exit', () => (exited = true));
  child.once('error', () => (exited = true));
  for (;;) {
    try {
      return await connect(socketPath);
    } catch (cause) {
      if (!exited && performance.now() < deadline) {
        await delay(retryMs);
        continue;
      }
      const log = await readFile(join(folder, 'log'), 'utf8').catch(() => '');
      const said = log.split('\n').findLast((line) => /\[ERROR\]/.test(line));
      const why =
        said?.replace(/^.*\[ERROR\]\s*/, '') ?? (exited ? 'it ended at once' : `no answer in ${startMs / 1000} s`);
      throw new Error(why, { cause });
    }
  }
}

async function connect(socketPath: string): Promise<Connection> {
  const { createConnection } = await import('mysql2/promise');
  const connection = await createConnection({ socketPath, user: 'root', connectTimeout: devDatabaseLimits.connectMs });
  // That it is lost is told by `ended`.
  connection.on('error', () => {});
  return connection;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  child.stdin?.end();
  const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), devDatabaseLimits.stopMs);
  await ended;
  clearTimeout(timer);
}

/** In the folder itself, or, where its path is too long for a socket, in one of this user's own among temporary files. */
async function socketPathOf(folder: string): Promise<string> {
  const plain = join(folder, 's.sock');
  if (Buffer.byteLength(plain) < devDatabaseLimits.socketPathBytes) return plain;
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  const other = join(tmpdir(), `fnrun-${process.getuid?.() ?? 0}-${hash}`);
  await mkdir(other, { recursive: true, mode: 0o700 });
  const { uid } = await lstat(other);
  // Names there can be had by anybody first, and root may use what is not its own.
  if (uid !== process.getuid?.()) throw new Error(`${other} belongs to somebody else: remove it`);
  await chmod(other, 0o700);
  return join(other, 's.sock');
}
