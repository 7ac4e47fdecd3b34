import { expect, test } from 'vitest';
import { workerLimits } from '../../../../runtime/contract/limits.ts';
import { threadCap } from '../../../../runtime/pool/thread-cap.ts';

const { hostMb, threadMb, threadsMax, threadsMin } = workerLimits;

test('threadCap is what the memory of the app carries', () => {
  expect(threadCap({ appMemoryMb: hostMb + 10 * threadMb })).toBe(10);
  expect(threadCap({ appMemoryMb: hostMb + 11 * threadMb - 1 })).toBe(10);
});

test('threadCap is never above the number asked for, nor above the default', () => {
  expect(threadCap({ appMemoryMb: 1_000_000, threads: 7 })).toBe(7);
  expect(threadCap({ appMemoryMb: 1_000_000 })).toBe(threadsMax);
  expect(threadCap({})).toBe(threadsMax);
});

test('threadCap leaves an app the threads that a deployment takes', () => {
  expect(threadCap({ appMemoryMb: 1 })).toBe(threadsMin);
  expect(threadCap({ threads: 1 })).toBe(threadsMin);
});
