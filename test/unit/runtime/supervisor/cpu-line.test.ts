import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { hostLimits } from '../../../../runtime/contract/limits.ts';
import { startDeadline } from '../../../../runtime/supervisor/cpu-line.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const { startMs, startLookMs, starvedMs } = hostLimits;

/** A process that stands in line for this share of the time, from the first look on. */
const standing = (share: number): (() => number) => {
  const begin = performance.now();
  return () => share * (performance.now() - begin);
};

test('a process that has the CPU and does not start is late after the usual time', () => {
  const late = vi.fn<(afterMs: number) => void>();
  startDeadline(1, late, standing(0.1));
  vi.advanceTimersByTime(startMs - 1);
  expect(late).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(late.mock.calls).toEqual([[startMs]]);
  vi.advanceTimersByTime(starvedMs);
  expect(late).toHaveBeenCalledTimes(1);
});

test('one that stands in line for the CPU has longer, and not for ever', () => {
  const late = vi.fn<(afterMs: number) => void>();
  startDeadline(1, late, standing(0.9));
  vi.advanceTimersByTime(starvedMs - 1);
  expect(late).not.toHaveBeenCalled();
  vi.advanceTimersByTime(startLookMs);
  expect(late.mock.calls).toEqual([[starvedMs]]);
});

test('who gets the CPU and is stuck then is late; who has started never is', () => {
  const late = vi.fn<(afterMs: number) => void>();
  let waited = 0;
  startDeadline(1, late, () => waited);
  waited = 0.9 * startMs;
  vi.advanceTimersByTime(startMs);
  expect(late).not.toHaveBeenCalled();
  vi.advanceTimersByTime(startMs);
  expect(late).toHaveBeenCalledTimes(1);
  const never = vi.fn<(afterMs: number) => void>();
  startDeadline(1, never, standing(0.9))();
  vi.advanceTimersByTime(2 * starvedMs);
  expect(never).not.toHaveBeenCalled();
});
