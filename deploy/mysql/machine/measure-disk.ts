import { randomUUID } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { databaseServerLimits } from '../../../runtime/contract/limits.ts';

/** Bounds of one measurement; it ends at the first of `forMs` and `bytesMax`. */
export interface MeasureOptions {
  /** @default 2000 */
  forMs?: number;
  /** @default 64 MiB */
  bytesMax?: number;
  /** @default performance.now */
  nowMs?: () => number;
}

/** What a measurement saw. */
export interface DiskMeasurement {
  writesPerSecond: number;
  writes: number;
  ms: number;
}

/**
 * Writes pages of 16 KiB to a file in `dir`, each followed by fdatasync, one after the other as a commit does it, and
 * counts. The file is written whole before, so that no page of the measurement allocates; its name is gone at once.
 */
export async function measureDisk(dir: string, options: MeasureOptions = {}): Promise<DiskMeasurement> {
  const { measureMs, measureBytes, measureWriteBytes, measureFileBytes } = databaseServerLimits;
  const { forMs = measureMs, bytesMax = measureBytes, nowMs = () => performance.now() } = options;
  // Not zeros, which some storage stores as nothing.
  const page = Buffer.alloc(measureWriteBytes, randomUUID());
  const pages = Math.max(1, Math.floor(measureFileBytes / page.length));
  // What is written beforehand counts too.
  const writesMax = Math.max(1, Math.floor(bytesMax / page.length) - pages);
  const path = join(dir, `.fnrun-measure-${randomUUID()}`);
  const file = await open(path, 'wx', 0o600);
  try {
    await unlink(path);
    for (let i = 0; i < pages; i++) await file.write(page, 0, page.length, i * page.length);
    await file.sync();
    const startedAt = nowMs();
    let writes = 0;
    let ms = 0;
    while (writes < writesMax && ms < forMs) {
      // A step that has no divisor in common with the number of pages: neighbours are not written in turn.
      await file.write(page, 0, page.length, ((writes * 197) % pages) * page.length);
      await file.datasync();
      writes++;
      ms = nowMs() - startedAt;
    }
    return { writesPerSecond: (writes * 1000) / Math.max(ms, 0.001), writes, ms };
  } finally {
    await file.close();
  }
}
