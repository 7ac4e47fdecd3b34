import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DatabaseSync } from 'node:sqlite';
import { createGzip } from 'node:zlib';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { backupLimits } from '../../runtime/contract/limits.ts';
import { appPaths, homePaths } from '../paths.ts';

export interface ServerFilesOptions {
  home: string;
  /** Where a copy of the state is made meanwhile: a folder of the backups. */
  dir: string;
  /** Absolute paths of further files, those of them that are there. */
  extra: readonly string[];
  to: Writable;
  signal: AbortSignal;
}

/**
 * Writes all that a server is built anew from, but the databases: a tar of its state (apps, variables as they are stored,
 * keys, deployments), the key of the variables, its configuration, and of each app the repository and the live release.
 * The server may run meanwhile. Rejects with FN_BACKUP.
 */
export async function writeServerFiles({ home, dir, extra, to, signal }: ServerFilesOptions): Promise<void> {
  const paths = homePaths(home);
  const staging = await mkdtemp(join(dir, '.new-state-'));
  try {
    copyState(paths.stateFile, join(staging, 'state.db'));
    const own = [paths.secretKey, paths.configFile, paths.authorizedKeys].filter((path) => existsSync(path));
    const inHome = [...own.map((path) => basename(path)), ...(await appFiles(home))];
    const others = extra.filter((path) => existsSync(path)).map((path) => path.slice(1));
    await tar(
      ['-C', staging, 'state.db', '-C', home, ...inHome, ...(others.length > 0 ? ['-C', '/', ...others] : [])],
      {
        to,
        signal,
      },
    );
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** SQLite's own way to copy a database that is in use: one moment of it, whole. */
function copyState(from: string, to: string): void {
  const db = new DatabaseSync(from, { timeout: 5_000 });
  try {
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
}

/** Paths below the home. Of a repository first what points into it, then what is pointed to: a push meanwhile does no harm. */
async function appFiles(home: string): Promise<string[]> {
  const root = homePaths(home);
  const apps = await readdir(root.apps).catch((): string[] => []);
  const files = apps.map(async (app) => {
    const { repository, live, releases } = appPaths(root, app);
    const release = basename(await readlink(live).catch(() => ''));
    const wanted = [
      ...['HEAD', 'config', 'packed-refs', 'refs', 'hooks', 'objects'].map((name) => join(repository, name)),
      ...(/^[0-9a-f]+$/.test(release) ? [live, join(releases, release)] : []),
    ];
    return wanted.filter((path) => existsSync(path)).map((path) => path.slice(home.length + 1));
  });
  return (await Promise.all(files)).flat();
}

async function tar(args: readonly string[], { to, signal }: Pick<ServerFilesOptions, 'to' | 'signal'>): Promise<void> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(backupLimits.dumpMs)]);
  const child = spawn('tar', ['--create', '--file=-', '--numeric-owner', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: deadline,
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-backupLimits.wordsChars);
  });
  const ended = new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, killed) => resolve(code ?? killed ?? ''));
  });
  const [failed, code] = await Promise.all([
    pipeline(child.stdout, createGzip({ level: backupLimits.gzipLevel }), to).then(
      () => null,
      (error: Error) => error,
    ),
    ended,
  ]);
  // 1: something changed or went while it was read, as in a push; what was read is good.
  if (failed === null && (code === 0 || code === 1)) return;
  const why = failed?.message ?? (words.trim().split('\n').at(-1) || `tar ended with ${code}`);
  throw new FnrunError('FN_BACKUP', `The server's own files could not be backed up: ${why}`, {
    hint: 'earlier backups are as they were',
  });
}
