import { expect, test } from 'vitest';
import { findKnee } from '../../../../cli/bench/find-knee.ts';
import { benchLimits } from '../../../../runtime/contract/limits.ts';

/** A server that carries `most`, but for the rates at which it has hiccups. */
function server(most: number, { hiccupsAt = [] as number[] } = {}) {
  const offered: number[] = [];
  const measure = async (rate: number) => {
    offered.push(rate);
    return { rate, holds: rate <= most && !hiccupsAt.includes(offered.length) };
  };
  return { offered, measure };
}

test.each([
  ['at the peak', 1_000, 1_000],
  ['below it', 700, 1_000],
  ['above it', 3_000, 1_000],
  ['far below it', 20, 1_000],
])('the knee is found when it is %s', async (_, most, peak) => {
  const { offered, measure } = server(most);
  const { held, failed } = await findKnee({ peak, maxRate: 1e6, measure });
  expect(held!.rate).toBeLessThanOrEqual(most);
  expect(failed!.rate).toBeGreaterThan(most);
  expect(held!.rate).toBeGreaterThan(most * (1 - 3 * benchLimits.kneeWithin));
  expect(offered.length).toBeLessThanOrEqual(benchLimits.steps);
});

test('one hiccup is not taken for the knee', async () => {
  const { measure } = server(1_000, { hiccupsAt: [1] });
  const { held } = await findKnee({ peak: 1_000, maxRate: 1e6, measure });
  expect(held!.rate).toBeGreaterThan(800);
});

test('the highest allowed rate is never exceeded, and offered once', async () => {
  const { offered, measure } = server(5_000);
  const { held, failed } = await findKnee({ peak: 1_000, maxRate: 600, measure });
  expect(offered).toEqual([250, 500, 600]);
  expect([held?.rate, failed]).toEqual([600, null]);
});

test('a server that carries nothing is given up', async () => {
  const { offered, measure } = server(0);
  const { held, failed } = await findKnee({ peak: 1_000, maxRate: 1e6, measure });
  expect([held, offered.length <= benchLimits.steps]).toEqual([null, true]);
  expect(failed!.rate).toBeLessThan(10);
});
