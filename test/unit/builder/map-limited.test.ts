import { setImmediate as immediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { mapLimited } from '../../../builder/map-limited.ts';

test('mapLimited keeps the order and never runs more than the limit', async () => {
  let running = 0;
  let most = 0;
  const work = async (item: number): Promise<number> => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < 5 - (item % 5); turn++) await immediate();
    running--;
    return item * 2;
  };
  const items = Array.from({ length: 20 }, (_, index) => index);
  expect(await mapLimited(items, { limit: 3, work })).toEqual(items.map((item) => item * 2));
  expect(most).toBe(3);
  expect(await mapLimited([], { limit: 3, work })).toEqual([]);
});

test('mapLimited rejects with the first failure', async () => {
  const work = async (item: number): Promise<number> => {
    if (item === 1) throw new Error('one');
    return item;
  };
  await expect(mapLimited([0, 1, 2], { limit: 2, work })).rejects.toThrow('one');
});
