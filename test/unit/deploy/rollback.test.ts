import { expect, test } from 'vitest';
import { previous } from '../../../deploy/rollback.ts';
import { releasesToKeep } from '../../../deploy/retention.ts';
import { buildLimits } from '../../../runtime/contract/limits.ts';

const push = (release: string) => ({ release, source: 'push' as const });
const rollback = (release: string) => ({ release, source: 'rollback' as const });

test('previous is the release pushed before the live one', () => {
  expect(previous([push('c'), push('b'), push('a')], 'c')?.release).toBe('b');
});

test('previous goes further back after a rollback, not forth again', () => {
  expect(previous([rollback('b'), push('c'), push('b'), push('a')], 'b')?.release).toBe('a');
});

test('previous skips pushes that made the same release', () => {
  expect(previous([push('b'), push('b'), push('a')], 'b')?.release).toBe('a');
});

test('previous is nothing when the live release is the first', () => {
  expect(previous([push('a')], 'a')).toBeUndefined();
});

test('releasesToKeep keeps the live release and the newest others that went live', () => {
  const many = Array.from({ length: 30 }, (_, n) => ({ release: `r${n}`, state: n === 1 ? 'failed' : 'succeeded' }));
  const kept = releasesToKeep(many, { live: 'r29', keep: buildLimits.releasesKept });
  expect(kept.has('r29')).toBe(true);
  expect(kept.has('r1')).toBe(false);
  expect(kept.size).toBe(buildLimits.releasesKept + 1);
});
