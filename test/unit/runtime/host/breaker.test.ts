import { expect, test } from 'vitest';
import { hostLimits, workerLimits } from '../../../../runtime/contract/limits.ts';
import { Breaker } from '../../../../runtime/host/breaker.ts';

const { deathsMax, deathsWindowMs, breakerMinMs, breakerMaxMs } = workerLimits;
const silent = { reason: 'its code called process.exit, code 1', answeredSince: false };

function setUp(): { breaker: Breaker; wait: (ms: number) => void; die: (times: number) => (number | null)[] } {
  let now = 1_000;
  const breaker = new Breaker({ now: () => now });
  const die = (times: number): (number | null)[] => Array.from({ length: times }, () => breaker.died(silent));
  return { breaker, wait: (ms) => void (now += ms), die };
}

test('breaker opens when workers die in a row without an answer', () => {
  const { breaker, die } = setUp();
  expect(die(deathsMax)).toEqual([...Array.from({ length: deathsMax - 1 }, () => null), breakerMinMs]);
  expect([breaker.state, breaker.reason, breaker.retryInMs]).toEqual(['open', silent.reason, breakerMinMs]);
  expect(breaker.refusal()).toMatchObject({ code: 'FN_CRASHING', retryInMs: breakerMinMs });
  expect(breaker.mayStart).toBe(false);
});

test('breaker stays closed when something is answered in between, however many workers die', () => {
  const { breaker, die } = setUp();
  for (let i = 0; i < 10; i++) {
    die(deathsMax - 2);
    breaker.died({ ...silent, answeredSince: true });
  }
  expect([breaker.state, breaker.reason, breaker.retryInMs, breaker.refusal()]).toEqual(['ok', null, null, null]);
});

test('breaker forgets deaths that are long ago', () => {
  const { breaker, wait, die } = setUp();
  for (let i = 0; i < deathsMax * 2; i++) {
    die(1);
    wait(deathsWindowMs / (deathsMax - 1));
  }
  expect(breaker.state).toBe('ok');
});

test('breaker lets one try after its pause; an answer closes it, a death doubles the pause', () => {
  const { breaker, wait, die } = setUp();
  die(deathsMax);
  expect(breaker.halfOpen).toBe(false);
  wait(breakerMinMs);
  expect([breaker.halfOpen, breaker.mayStart, breaker.retryInMs]).toEqual([true, true, 0]);
  expect(die(1)).toEqual([breakerMinMs * 2]);
  wait(breakerMinMs * 2);
  expect(breaker.answered()).toBe(true);
  expect([breaker.state, breaker.answered(), die(1)]).toEqual(['ok', false, [null]]);
});

test('breaker does not count workers that die after it opened and before its pause is over', () => {
  const { breaker, die } = setUp();
  die(deathsMax);
  expect(die(3)).toEqual([null, null, null]);
  expect(breaker.retryInMs).toBe(breakerMinMs);
});

test('breaker never pauses longer than its most', () => {
  const { breaker, wait, die } = setUp();
  die(deathsMax);
  for (let i = 0; i < 20; i++) {
    wait(breakerMaxMs);
    die(1);
  }
  expect(breaker.retryInMs).toBe(breakerMaxMs);
});

test('breaker backs off with growing pauses while a function does not load, and is closed by a load', () => {
  const { breaker, wait } = setUp();
  const { restartBackoffMinMs, restartBackoffMaxMs } = hostLimits;
  const pauses = Array.from({ length: 12 }, () => {
    const pauseMs = breaker.loadFailed('it does not load: Error: no');
    wait(pauseMs);
    return pauseMs;
  });
  expect(pauses.slice(0, 3)).toEqual([restartBackoffMinMs, restartBackoffMinMs * 2, restartBackoffMinMs * 4]);
  expect(pauses.at(-1)).toBe(restartBackoffMaxMs);
  expect([breaker.state, breaker.retryInMs, breaker.mayStart, breaker.refusal()]).toEqual(['backoff', 0, true, null]);
  breaker.loadFailed('it does not load: Error: no');
  expect(breaker.refusal()).toMatchObject({ code: 'FN_LOAD_FAILED', retryInMs: restartBackoffMaxMs });
  breaker.loaded();
  expect([breaker.state, breaker.mayStart, breaker.refusal()]).toEqual(['ok', true, null]);
});

test('breaker tells clients nothing of what the code said', () => {
  const { breaker, die } = setUp();
  breaker.loadFailed('it does not load: Error: password is hunter2');
  expect(breaker.reason).toContain('hunter2');
  expect(breaker.refusal()!.detail).not.toContain('hunter2');
  die(deathsMax);
  expect(breaker.refusal()!.detail).not.toContain('process.exit');
});
