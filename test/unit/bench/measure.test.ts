import { expect, test } from 'vitest';
import { median, percentile, percentiles, round } from '../../bench/measure.ts';
import { sumMemory } from '../../bench/processes.ts';

test('median takes the middle value, and of an even number the mean of the two', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([10, 1, 9, 2])).toBe(5.5);
});

test('percentile sorts by value and lies between the closest ranks', () => {
  // As text, 100 would come before 20.
  expect(percentile([100, 20, 3], 100)).toBe(100);
  expect(percentile([1, 2, 3, 4, 5], 90)).toBeCloseTo(4.6);
  expect(percentiles([1, 2, 3, 4, 5], [0, 25, 99.9])).toEqual([1, 2, expect.closeTo(4.996)]);
});

test('percentile leaves the values as they are, and has none of nothing', () => {
  const values = [3, 1, 2];
  expect(percentile(values, 50)).toBe(2);
  expect(values).toEqual([3, 1, 2]);
  expect(percentile([], 50)).toBeNaN();
});

test('round keeps three digits, and all whole ones', () => {
  expect([0.12345, 1.999, 52.14, 123.4, 21_360.4].map(round)).toEqual([0.123, 2, 52.1, 123, 21_360]);
});

test('sumMemory counts pages that processes share once', () => {
  const rollup = (rss: number, clean: number, dirty: number): string =>
    [
      '00400000-7fff00000000 ---p 00000000 00:00 0    [rollup]',
      `Rss:             ${rss} kB`,
      `Pss:              1 kB`,
      `Shared_Clean:     1 kB`,
      `Private_Clean:  ${clean} kB`,
      `Private_Dirty:  ${dirty} kB`,
      '',
    ].join('\n');
  const one = rollup(100 * 1024, 10 * 1024, 30 * 1024);
  const other = rollup(80 * 1024, 0, 30 * 1024);
  expect(sumMemory([one])).toEqual({ rssMb: 100, residentMb: 100 });
  // Private 40 + 30, shared 60 of the first.
  expect(sumMemory([one, other])).toEqual({ rssMb: 180, residentMb: 130 });
});
