import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Installs } from '../../../../deploy/sync/certificates/installs.ts';
import { domainLimits } from '../../../../runtime/contract/limits.ts';

const { installEveryMs } = domainLimits;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** When nginx was had to serve with what there is, in ms; `answers` say whether it could. */
function installs(answers: boolean[] = []) {
  const startedAt = performance.now();
  const at: number[] = [];
  const again = async (): Promise<boolean> => {
    at.push(performance.now() - startedAt);
    return answers.shift() ?? true;
  };
  return { made: new Installs({ again }), at };
}

test('the first certificate is served at once, others together later, whatever goes on beside them', async () => {
  const { made, at } = installs();
  made.want();
  await vi.advanceTimersByTimeAsync(1_000);
  made.want();
  made.want();
  await vi.advanceTimersByTimeAsync(10 * installEveryMs);
  expect(at).toEqual([0, installEveryMs]);
  await made.end();
  expect(at).toHaveLength(2);
});

test('what nginx could not be had to is tried again', async () => {
  const { made, at } = installs([false]);
  made.want();
  await vi.advanceTimersByTimeAsync(10 * installEveryMs);
  expect(at).toEqual([0, installEveryMs]);
});

test('the end waits for what is left, tries it once, and leaves nothing behind', async () => {
  const { made, at } = installs([true, false]);
  made.want();
  await vi.advanceTimersByTimeAsync(1_000);
  made.want();
  await made.end();
  expect(at).toEqual([0, 1_000]);
  expect(vi.getTimerCount()).toBe(0);
});
