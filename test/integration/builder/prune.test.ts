import { existsSync } from 'node:fs';
import { link, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pruneCache } from '../../../builder/prune.ts';
import { buildLimits } from '../../../runtime/contract/limits.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

const now = Date.now();

test('prune removes leftovers, surplus and unused files, and nothing that a release needs', async () => {
  await using temp = await makeTempDir();
  const at = (path: string): string => join(temp.path, path);
  const places = { cacheDir: at('cache'), releasesDir: at('releases'), now };
  const hash = 'a'.repeat(64);
  const install = (index: number): string => `cache/deps/${String(index).padStart(32, '0')}`;
  const installs = Array.from({ length: buildLimits.cachedInstalls + 3 }, (_, index) => install(index));
  await writeTree(temp.path, {
    'releases/.new-old/x': '',
    'releases/.new-young/x': '',
    'releases/0123456789abcdef/manifest.json': '',
    'cache/bundles-3/.new-old/x': '',
    [`cache/bundles-3/${hash}/x`]: '',
    [`cache/bundles-3/${hash}.json`]: '',
    'cache/bundles-3/state.json': '',
    'cache/views/view-old/tsconfig.json': '',
    'cache/public/aa/used': 'used',
    'cache/public/aa/unused': 'unused',
    ...Object.fromEntries(installs.map((dir) => [`${dir}/addons.json`, '[]'])),
    [`${install(0)}/linked`]: '',
  });
  await mkdir(at('releases/0123456789abcdef/public'));
  await link(at('cache/public/aa/used'), at('releases/0123456789abcdef/public/used'));
  const age = async (path: string, ms: number): Promise<void> => utimes(at(path), (now - ms) / 1000, (now - ms) / 1000);
  const old = 2 * buildLimits.leftoverMs;
  const aged = ['releases/.new-old', 'releases/0123456789abcdef', 'cache/bundles-3/.new-old', 'cache/views/view-old'];
  for (const path of [...aged, 'cache/public/aa/used', 'cache/public/aa/unused', `cache/bundles-3/${hash}`])
    await age(path, old);
  for (const [index, dir] of installs.entries()) await age(dir, old + (installs.length - index) * 1000);

  await pruneCache(places);

  expect((await readdir(at('releases'))).toSorted()).toEqual(['.new-young', '0123456789abcdef']);
  expect((await readdir(at('cache/bundles-3'))).toSorted()).toEqual([hash, `${hash}.json`, 'state.json']);
  expect(await readdir(at('cache/views'))).toEqual([]);
  expect(await readdir(at('cache/public/aa'))).toEqual(['used']);
  const kept = (await readdir(at('cache/deps'))).map((name) => `cache/deps/${name}`);
  expect(kept.toSorted()).toEqual([install(0), ...installs.slice(-buildLimits.cachedInstalls)].toSorted());

  // Again within the hour: nothing is looked at.
  await writeFile(at('cache/bundles-3/.new-again'), '');
  await age('cache/bundles-3/.new-again', old);
  await pruneCache(places);
  expect(existsSync(at('cache/bundles-3/.new-again'))).toBe(true);
});
