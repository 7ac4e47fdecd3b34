import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRoute } from '../../../builder/source/route.ts';

const routes: [string[], string][] = [
  [[], '/'],
  [['users'], '/users'],
  [['users', '[id]'], '/users/:id'],
  [['files', '[...rest]'], '/files/*rest'],
  [['a b', 'ü', 'v1.2', '~x', '@me'], '/a b/ü/v1.2/~x/@me'],
  [['[user_id]', 'posts', '[post-id]'], '/:user_id/posts/:post-id'],
];

test.each(routes)('route of %j is %s', (segments, route) => {
  expect(readRoute(segments)).toMatchObject({ ok: true, route });
});

test('pattern is equal when only the names of parameters differ', () => {
  const pattern = (...segments: string[]): unknown => (readRoute(segments) as { pattern?: string }).pattern;
  expect(pattern('users', '[id]')).toBe(pattern('users', '[name]'));
  expect(pattern('users', '[...a]')).toBe(pattern('users', '[...b]'));
  expect(pattern('users', '[id]')).not.toBe(pattern('users', '[...id]'));
  expect(pattern('users', '[id]')).not.toBe(pattern('users', 'id'));
});

const bad: [string[], RegExp][] = [
  [['[id]', 'x', '[id]'], /"id" occurs twice/],
  [['[...rest]', 'x'], /not the last segment/],
  [['[]'], /names no parameter/],
  [['[1a]'], /names no parameter/],
  [['[then]'], /names no parameter/],
  [['[__proto__]'], /names no parameter/],
  [['[[...rest]]'], /no route segment/],
  [['a[id]'], /no route segment/],
  [['[id'], /no route segment/],
  [[':id'], /no route segment/],
  [['*rest'], /no route segment/],
  [['a%20b'], /no route segment/],
  [['a?b'], /no route segment/],
  [['a\\b'], /no route segment/],
  [['a\u0007b'], /no route segment/],
];

test.each(bad)('route of %j is refused with a hint', (segments, message) => {
  const reading = readRoute(segments);
  expect(reading).toMatchObject({
    ok: false,
    message: expect.stringMatching(message),
    hint: expect.stringMatching(/./),
  });
});

test('route has as many segments as the folder path, whatever they are', () => {
  const segment = fc.string({ minLength: 1 }).filter((text) => !text.includes('/'));
  const depths = fc.sample(fc.array(segment), 500).map((segments) => {
    const reading = readRoute(segments);
    return { wanted: Math.max(1, segments.length), is: reading.ok ? reading.route.split('/').length - 1 : null };
  });
  expect(depths.filter(({ wanted, is }) => is !== null && is !== wanted)).toEqual([]);
});
