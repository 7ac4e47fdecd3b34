import { existsSync, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildLimits } from '../runtime/contract/limits.ts';
import { installsDir, isLinked } from './dependencies/install.ts';
import { groupsDir } from './bundle/cache.ts';
import { publicDir } from './release/write.ts';

const lastRuns = new Map<string, number>();

/** Folders of a builder. */
export interface PruneOptions {
  cacheDir: string;
  releasesDir: string;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * Keeps a cache within its bounds and removes what interrupted builds left behind; at most once
 * per `leftoverMs` and process, because it looks at everything. Removes no installed packages
 * that a release links to, and no release.
 */
export async function pruneCache({ cacheDir, releasesDir, now }: PruneOptions): Promise<void> {
  const last = lastRuns.get(cacheDir);
  if (last !== undefined && now - last < buildLimits.leftoverMs) return;
  lastRuns.set(cacheDir, now);
  const old = now - buildLimits.leftoverMs;
  const groups = list(groupsDir(cacheDir));
  const installs = list(installsDir(cacheDir));
  const leftovers = [...groups, ...installs, ...list(releasesDir), ...list(join(cacheDir, 'views'))].filter(
    ({ name, usedMs }) => /^(?:\.new-|view-)/.test(name) && usedMs < old,
  );
  const surplus = [
    ...surplusOf(
      groups.filter(({ name }) => /^[0-9a-f]{64}(?:\.json)?$/.test(name)),
      buildLimits.cachedGroups,
    ),
    ...surplusOf(
      installs.filter(({ name, path }) => /^[0-9a-f]{32}$/.test(name) && !isLinked(path)),
      buildLimits.cachedInstalls,
    ),
    // One in the last hour may be in the middle of a build.
  ].filter(({ usedMs }) => usedMs < old);
  // Files of public/ have a second name in each release that holds them.
  const unused = list(publicDir(cacheDir))
    .flatMap(({ path }) => list(path))
    .filter(({ links, usedMs }) => links === 1 && usedMs < old);
  for (const { path } of [...leftovers, ...surplus, ...unused]) await rm(path, { recursive: true, force: true });
}

interface Kept {
  name: string;
  path: string;
  usedMs: number;
  /** Names that the file has on the disk. */
  links: number;
}

function list(dir: string): Kept[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    const at = statSync(path, { throwIfNoEntry: false });
    return at === undefined ? [] : [{ name, path, usedMs: at.mtimeMs, links: at.nlink }];
  });
}

function surplusOf(kept: readonly Kept[], most: number): Kept[] {
  return kept.toSorted((a, b) => b.usedMs - a.usedMs).slice(most);
}
