import { expect, test } from 'vitest';
import { newRequestId, requestIdOf } from '../../../router/request-id.ts';

test.each(['a', 'abc-1.2_3', 'x'.repeat(128)])('requestIdOf keeps %s', (id) => {
  expect(requestIdOf(id)).toBe(id);
});

test.each([undefined, '', 'a b', 'a\n', 'é', 'a,b', 'x'.repeat(129), ['a', 'b']])(
  'requestIdOf makes a new id for %j',
  (id) => {
    expect(requestIdOf(id)).toMatch(/^[0-9a-f]{32}$/);
    expect(requestIdOf(id)).not.toBe(requestIdOf(id));
  },
);

test('newRequestId never gives the same twice', () => {
  const ids = Array.from({ length: 1_000 }, newRequestId);
  expect(new Set(ids).size).toBe(1_000);
  expect(new Set(ids.map((id) => id.length))).toEqual(new Set([32]));
});
