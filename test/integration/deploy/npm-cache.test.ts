import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { boundNpmCache } from '../../../deploy/build/npm-cache.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

test('cache of npm is emptied when it has more than its bytes, and left alone before', async () => {
  await using dir = await makeTempDir();
  const cache = join(dir.path, 'npm');
  await boundNpmCache(cache);
  await writeTree(cache, { '_cacache/a/b': 'x'.repeat(60), '_cacache/c': 'x'.repeat(40) });
  await boundNpmCache(cache, { bytesMax: 100 });
  expect(existsSync(join(cache, '_cacache/c'))).toBe(true);
  await boundNpmCache(cache, { bytesMax: 99 });
  expect(existsSync(cache)).toBe(false);
});
