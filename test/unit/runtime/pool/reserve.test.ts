import { expect, test } from 'vitest';
import { Reserve } from '../../../../runtime/pool/reserve.ts';
import { within } from '../../../support/deadline.ts';

test('reserve grows by one with each thread taken, up to its most', () => {
  const reserve = new Reserve({ min: 1, max: 3, idleMs: 60_000, onShrink() {} });
  const sizes = [reserve.size];
  for (let i = 0; i < 4; i++) {
    reserve.demand();
    sizes.push(reserve.size);
  }
  reserve.close();
  expect(sizes).toEqual([1, 2, 3, 3, 3]);
});

test('reserve is back at its least when nobody asked for a while', async () => {
  let reserve: Reserve | undefined;
  const shrunk = new Promise<number>((resolve) => {
    reserve = new Reserve({ min: 1, max: 4, idleMs: 30, onShrink: () => resolve(reserve!.size) });
    reserve.demand();
    reserve.demand();
  });
  expect(reserve!.size).toBe(3);
  expect(await within(15_000, 'the reserve', shrunk)).toBe(1);
});

test('reserve that is closed leaves no timer', () => {
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const reserve = new Reserve({ min: 0, max: 4, idleMs: 60_000, onShrink() {} });
  reserve.demand();
  reserve.close();
  expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before);
});
