import { statfs } from 'node:fs/promises';
import { deployLimits } from '../runtime/contract/limits.ts';
import { Rejection } from './rejection.ts';

/**
 * Refuses a push whose files would not fit on the disk: written once as a tree, and at most once more as
 * bundles and static files. Better now than half-way, when the store and the logs have no room either.
 */
export async function refuseFullDisk(folder: string, { bytes }: { bytes: number }): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const needed = 2 * bytes + deployLimits.diskReserveBytes;
  if (free >= needed) return;
  throw new Rejection(`the disk of the server has ${megabytes(free)} free, and this push needs ${megabytes(needed)}`, {
    hint: 'free some space on the server, then push again',
  });
}

/** SQLite's result codes; the low byte of its extended ones. */
const sqliteFull = 13;

/** Whether `error` says that there is no space left, in the words of the kernel, of SQLite or of a program that was run. */
export function isDiskFull(error: unknown): boolean {
  const { code, errcode, message } = error as NodeJS.ErrnoException & { errcode?: number };
  if (code === 'ENOSPC' || code === 'EDQUOT') return true;
  if (errcode !== undefined && (errcode & 0xff) === sqliteFull) return true;
  return /\bENOSPC\b|no space left on device|disk quota exceeded/i.test(message ?? '');
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
