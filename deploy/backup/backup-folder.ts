import { createReadStream, createWriteStream } from 'node:fs';
import { createHash } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Transform, Writable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { backupLimits } from '../../runtime/contract/limits.ts';
import { backupFile, type BackupName, outdated, parseBackupFile } from './backup-name.ts';
import { DumpEnd } from './dump-lines.ts';
import { syncFolder } from '../sync-folder.ts';

/** A backup that is whole: its checksum stands beside it. */
export interface Backup extends BackupName {
  path: string;
  bytes: number;
}

/** The whole backups in a folder, oldest first. A folder that is not there has none. */
export async function listBackups(dir: string): Promise<Backup[]> {
  const files = await readdir(dir).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw new FnrunError('FN_NO_BACKUP', `The backups in ${dir} cannot be read: ${error.message}`, { cause: error });
  });
  const names = new Set(files);
  const found = files.flatMap((file) => (names.has(`${file}.sha256`) ? (parseBackupFile(file) ?? []) : []));
  const backups = await Promise.all(
    found.map(async (name) => {
      const path = join(dir, name.file);
      return { ...name, path, bytes: (await stat(path)).size };
    }),
  );
  return backups.toSorted((a, b) => a.at.getTime() - b.at.getTime());
}

/** What is written, and what must be true of it. */
export interface NewBackup {
  dir: string;
  /** What it is of, for its name: a schema. */
  of: string;
  at: Date;
  suffix?: 'sql.gz' | 'tar.gz';
  /** Writes it. */
  write: (to: Writable) => Promise<unknown>;
}

/**
 * Makes a backup in `dir`: written beside under another name, synced, read back and compared, and only then renamed. Whatever
 * fails, nothing of it stays, and no other backup is touched.
 */
export async function addBackup({ dir, of, at, suffix = 'sql.gz', write }: NewBackup): Promise<Backup> {
  const file = backupFile(of, { at, suffix });
  const path = join(dir, file);
  const temporary = join(dir, `.new-${file}`);
  try {
    const written = await writeHashed(temporary, write);
    const read = await readHashed(temporary, { dump: suffix === 'sql.gz' });
    if (read.hash !== written.hash || !read.isWhole) {
      throw new FnrunError('FN_BACKUP', `${of}: what was written to the disk is not what is read from it`, {
        hint: 'look at the disk: dmesg, smartctl',
      });
    }
    await writeSynced(`${temporary}.sha256`, `${written.hash}  ${file}\n`);
    // The checksum first: a backup without one is taken for none.
    await rename(`${temporary}.sha256`, `${path}.sha256`);
    await rename(temporary, path);
    await syncFolder(dir);
    return { file, at, of, path, bytes: written.bytes };
  } catch (error) {
    for (const left of [temporary, `${temporary}.sha256`]) await rm(left, { force: true });
    throw error;
  }
}

/** Removes what is older than `keepDays`, but never the last of anything, and what broken runs have left. Resolves to the removed. */
export async function prune(dir: string, options: { now: Date; keepDays: number }): Promise<BackupName[]> {
  const old = outdated(await listBackups(dir), options);
  for (const { file } of old) {
    await rm(join(dir, file), { force: true });
    await rm(join(dir, `${file}.sha256`), { force: true });
  }
  for (const file of (await readdir(dir)).filter((name) => name.startsWith('.new-'))) {
    const { mtimeMs } = await stat(join(dir, file)).catch(() => ({ mtimeMs: Infinity }));
    const isStale = options.now.getTime() - mtimeMs > backupLimits.staleMs;
    if (isStale) await rm(join(dir, file), { recursive: true, force: true });
  }
  return old;
}

/** Throws FN_BACKUP when the disk has not as much free as a backup of `expected` bytes needs. */
export async function requireSpace(dir: string, { of, expected }: { of: string; expected: number }): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const [free, needed] = [bavail * bsize, expected + backupLimits.reserveBytes];
  if (free >= needed) return;
  const mb = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;
  throw new FnrunError(
    'FN_BACKUP',
    `${of} is not backed up: ${dir} has ${mb(free)} free, and ${mb(needed)} are needed`,
    {
      hint: 'free some space, or keep backups for fewer days; earlier backups are as they were',
    },
  );
}

/** Throws FN_NO_BACKUP when a backup is not what it was when it was made. */
export async function verifyBackup(path: string): Promise<void> {
  const file = basename(path);
  const stored = await readFile(`${path}.sha256`, 'utf8').catch(() => '');
  const { hash, isWhole } = await readHashed(path, { dump: file.endsWith('.sql.gz') }).catch(() => ({
    hash: '',
    isWhole: false,
  }));
  if (stored.startsWith(`${hash} `) && isWhole) return;
  throw new FnrunError('FN_NO_BACKUP', `${path} is damaged: its checksum is another one, or it has no end`, {
    hint: 'take another one: fnrun backup APP --list',
  });
}

async function writeHashed(path: string, write: NewBackup['write']): Promise<{ hash: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const meter = new Transform({
    transform: (chunk: Buffer, _, done) => {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  // Others than its owner and group must not read an app's data. Synced when it is closed.
  const stored = pipeline(meter, createWriteStream(path, { mode: 0o640, flush: true }));
  stored.catch(() => undefined);
  await write(meter);
  await stored;
  return { hash: hash.digest('hex'), bytes };
}

async function readHashed(path: string, { dump }: { dump: boolean }): Promise<{ hash: string; isWhole: boolean }> {
  const hash = createHash('sha256');
  const end = new DumpEnd();
  const tee = new Transform({
    transform: (chunk: Buffer, _, done) => {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(createReadStream(path), tee, createGunzip(), end, new Writable({ write: (_, __, done) => done() }));
  return { hash: hash.digest('hex'), isWhole: !dump || end.isWhole };
}

async function writeSynced(path: string, text: string): Promise<void> {
  const handle = await open(path, 'w', 0o640);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
