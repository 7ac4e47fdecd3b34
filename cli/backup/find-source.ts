import { createReadStream, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { listBackups, verifyBackup } from '../../deploy/backup/backup-folder.ts';
import { parseBackupFile } from '../../deploy/backup/backup-name.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';

/** What a restore reads, and how it is called. */
export interface BackupSource {
  stream: Readable;
  name: string;
}

/** Whether a word means a backup that the server keeps, and not a file of whoever says it. */
export function isKeptBackup(source: string, { cwd }: { cwd: string }): boolean {
  if (source === 'latest') return true;
  return parseBackupFile(source) !== null && !existsSync(resolve(cwd, source));
}

export interface SourceOptions {
  /** The server's folder of backups. */
  dir: string;
  app: string;
  /** The schema that the app uses: `latest` is the last one of that, if there is any. */
  schema: string;
  cwd: string;
}

/** Opens a file, standard input (`-`), or a backup of the server, which is verified first. Throws FN_NO_BACKUP. */
export async function openSource(source: string, { dir, app, schema, cwd }: SourceOptions): Promise<BackupSource> {
  if (source === '-') return { stream: process.stdin, name: 'standard input' };
  if (!isKeptBackup(source, { cwd })) {
    const path = resolve(cwd, source);
    if (existsSync(path)) return { stream: createReadStream(path), name: path };
    throw new FnrunError('FN_NO_BACKUP', `There is no file ${path}`, {
      hint: `name a file, one of fnrun backup ${app} --list, or latest`,
    });
  }
  const backups = await listBackups(join(dir, app));
  const found =
    source === 'latest'
      ? (backups.findLast((each) => each.of === schema) ?? backups.at(-1))
      : backups.find((each) => each.file === source);
  if (found === undefined) {
    const what = source === 'latest' ? `There is no backup of ${app}` : `${app} has no backup ${source}`;
    throw new FnrunError('FN_NO_BACKUP', `${what} in ${join(dir, app)}`, { hint: `see: fnrun backup ${app} --list` });
  }
  await verifyBackup(found.path);
  return { stream: createReadStream(found.path), name: found.file };
}
