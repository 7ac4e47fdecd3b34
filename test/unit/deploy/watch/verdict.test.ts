import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verdict } from '../../../../deploy/watch/verdict.ts';
import type { Tally } from '../../../../deploy/watch/verdict.ts';
import { deployLimits } from '../../../../runtime/contract/limits.ts';

const judge = (then: [number, number] | null, now: [number, number], crashes = 0): string | null => {
  const tally = ([failed, requests]: [number, number]): Tally => ({ failed, requests });
  return verdict({
    before: new Map(then === null ? [] : [['f', tally(then)]]),
    after: new Map([['f', tally(now)]]),
    crashes,
  });
};

describe('verdict', () => {
  test.each<{ what: string; then: [number, number] | null; now: [number, number]; bad: boolean }>([
    { what: 'all of many requests fail that were well before', then: [0, 100], now: [50, 50], bad: true },
    { what: 'a tenth fails where one in a hundred did', then: [1, 100], now: [20, 200], bad: true },
    { what: 'too few requests are there to tell', then: [0, 100], now: [19, 19], bad: false },
    { what: 'too few of them failed', then: [0, 100], now: [9, 50], bad: false },
    { what: 'less than a tenth fails', then: [0, 10_000], now: [90, 1_000], bad: false },
    { what: 'as many failed before', then: [50, 100], now: [60, 100], bad: false },
    { what: 'all fail where a fifth did', then: [20, 100], now: [100, 100], bad: true },
    { what: 'all fail, and nearly all did', then: [95, 100], now: [100, 100], bad: false },
    { what: 'the function is new', then: null, now: [100, 100], bad: false },
    { what: 'the function had no requests before', then: [0, 0], now: [100, 100], bad: true },
  ])('release where $what: bad $bad', ({ then, now, bad }) => {
    expect(judge(then, now) !== null).toBe(bad);
  });

  test('release whose process ends again and again is bad without any request', () => {
    expect(judge(null, [0, 0], deployLimits.watchCrashes - 1)).toBe(null);
    expect(judge(null, [0, 0], deployLimits.watchCrashes)).toBe('its process ended 3 times');
  });

  test('release that does no worse than the one before is never bad', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(1_000), fc.integer({ min: 1, max: 20 }), (failed, well, times) => {
        const requests = failed + well;
        const same: [number, number] = [failed * times, requests * times];
        const rate = requests === 0 ? 0 : failed / requests;
        // Where next to all failed already, no release can be far worse; all that fail is told apart from that.
        fc.pre(rate < 1);
        expect(judge([failed, requests], same)).toBe(null);
      }),
    );
  });

  test('reason names the function and both counts', () => {
    expect(judge([1, 400], [38, 100])).toBe('38 of 100 requests of f failed, 1 of 400 before');
  });
});
