import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../../../deploy/store/sqlite.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

test('an app keeps its number; one that is given back is given out again last, and none that others have', async () => {
  await using temp = await makeTempDir();
  const file = join(temp.path, 'state.db');
  let store = openSqliteStore(file);
  const range = { first: 70_000, last: 70_003, taken: new Set([70_001]) };
  const assign = async (app: string, nowMs = 0): Promise<number | null> =>
    await store.assignUser(app, { ...range, nowMs });
  expect(await assign('a')).toBe(70_000);
  expect(await assign('b')).toBe(70_002);
  await store.freeUser('b', 20);
  await store.freeUser('a', 10);
  await store.close();
  store = openSqliteStore(file);
  // Never given, then free for longest.
  expect(await assign('c')).toBe(70_003);
  expect(await assign('d')).toBe(70_000);
  expect(await assign('c')).toBe(70_003);
  expect(await assign('e')).toBe(70_002);
  expect(await assign('f')).toBeNull();
  expect(await store.listUsers()).toEqual([
    { id: 70_000, app: 'd' },
    { id: 70_002, app: 'e' },
    { id: 70_003, app: 'c' },
  ]);
  // Another has it now, or it is out of range.
  expect(await store.assignUser('c', { ...range, last: 70_009, taken: new Set([70_003]), nowMs: 30 })).toBe(70_001);
  await store.close();
});
