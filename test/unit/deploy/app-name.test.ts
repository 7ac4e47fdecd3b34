import { expect, test } from 'vitest';
import { checkAppName, isAppName } from '../../../deploy/app-name.ts';

test.each(['a', 'hello', 'my-app', 'a1', 'a-1-b', 'x'.repeat(40)])('isAppName accepts %s', (name) => {
  expect(isAppName(name)).toBe(true);
});

test.each(['', 'A', '1a', '-a', 'a-', 'a--b', 'a_b', 'a.b', 'a/b', '..', 'ä', 'a b', 'x'.repeat(41), 'a\n'])(
  'isAppName refuses %j',
  (name) => {
    expect(isAppName(name)).toBe(false);
  },
);

test('checkAppName says what a name may be when it refuses one', () => {
  expect(() => checkAppName('My App')).toThrowError(
    expect.objectContaining({ code: 'FN_BAD_APP_NAME', message: '"My App" cannot be the name of an app' }),
  );
});
