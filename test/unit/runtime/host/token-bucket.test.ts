import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBucket } from '../../../../runtime/host/token-bucket.ts';

test('bucket lets its burst through at once, and then its rate', () => {
  const bucket = new TokenBucket(10, { burstSeconds: 2 });
  const passed = (atMs: number, tries: number): number =>
    Array.from({ length: tries }, () => bucket.take(atMs)).filter(Boolean).length;
  expect(passed(0, 100)).toBe(20);
  expect(passed(50, 100)).toBe(0);
  expect(passed(1_050, 100)).toBe(10);
  expect(passed(1_000_000, 100)).toBe(20);
});

test('bucket never lets more through than burst and rate allow', () => {
  const steps = fc.array(
    fc.record({ waitMs: fc.integer({ min: 0, max: 3_000 }), tries: fc.integer({ min: 1, max: 50 }) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 10 }), steps, (rate, burstSeconds, all) => {
      const bucket = new TokenBucket(rate, { burstSeconds });
      let nowMs = 0;
      let passed = 0;
      for (const { waitMs, tries } of all) {
        nowMs += waitMs;
        for (let i = 0; i < tries; i++) passed += bucket.take(nowMs) ? 1 : 0;
        expect(passed).toBeLessThanOrEqual(rate * burstSeconds + (rate * nowMs) / 1_000 + 1e-6);
      }
    }),
  );
});

test('a rate that changes holds from then on', () => {
  const bucket = new TokenBucket(1, { burstSeconds: 1 });
  expect([bucket.take(0), bucket.take(0)]).toEqual([true, false]);
  bucket.perSecond = 1_000;
  expect([bucket.take(10), bucket.take(10)]).toEqual([true, true]);
});
