import { expect, test } from 'vitest';
import { describeExit, Exits } from '../../../../runtime/supervisor/exits.ts';
import { hostLimits } from '../../../../runtime/contract/limits.ts';

const exit = { time: '2026-01-01T00:00:00.000Z', reason: 'signal SIGKILL', lastWords: null, uptimeMs: 5, inFlight: {} };

test('exits are kept newest first, and only so many', () => {
  const exits = new Exits();
  expect(exits.last).toBeNull();
  for (let code = 0; code < hostLimits.exitsKept + 3; code++) exits.add({ ...exit, reason: `exit code ${code}` });
  expect(exits.all).toHaveLength(hostLimits.exitsKept);
  expect(exits.last).toBe(`exit code ${hostLimits.exitsKept + 2}`);
});

test('exit is told with last words and with what was in flight', () => {
  expect(describeExit(exit)).toBe('signal SIGKILL');
  expect(describeExit({ ...exit, lastWords: 'FATAL ERROR: heap', inFlight: { 'users/[id]': 3, index: 1 } })).toBe(
    'signal SIGKILL: FATAL ERROR: heap; in flight: users/[id] ×3, index ×1',
  );
});
