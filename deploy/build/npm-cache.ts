import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildLimits } from '../../runtime/contract/limits.ts';

/** Empties an app's cache of npm when it has more than its bytes: what is needed is fetched anew. */
export async function boundNpmCache(dir: string, { bytesMax = buildLimits.npmCacheBytes } = {}): Promise<void> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    if (entry.isFile()) bytes += (await lstat(join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0;
    if (bytes <= bytesMax) continue;
    await rm(dir, { recursive: true, force: true });
    return;
  }
}
