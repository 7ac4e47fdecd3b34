import { expect, test } from 'vitest';
import { requestIdOf } from '../../../router/request-id.ts';

test.each(['a', 'abc-1.2_3', 'x'.repeat(128)])('requestIdOf keeps %s', (id) => {
  expect(requestIdOf(id)).toBe(id);
});

test.each([undefined, '', 'a b', 'a\n', 'é', 'a,b', 'x'.repeat(129), ['a', 'b']])(
  'requestIdOf makes a new id for %j',
  (id) => {
    expect(requestIdOf(id)).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(requestIdOf(id)).not.toBe(requestIdOf(id));
  },
);
