import fc from 'fast-check';
import { expect, test } from 'vitest';
import { atOrBelow, outside } from '../../../builder/bundle/boundary.ts';

const roots = ['/a', '/srv/app', '/srv/a.b+c[d](e)^f$', '/srv/ü-ö'];

test.each(roots)('outside(%s) matches all but what lies below it', (root) => {
  const filter = outside(root);
  expect(filter.test(`${root}/x.ts`)).toBe(false);
  expect(filter.test(`${root}/deep/er/x.ts`)).toBe(false);
  for (const path of ['', '/', '/etc/passwd', root, `${root}x/y.ts`, root.slice(0, -1), `/x${root}/y`]) {
    expect(filter.test(path), path).toBe(true);
  }
});

test('outside agrees with startsWith for any path', () => {
  const root = '/srv/app';
  const near = fc.oneof(
    fc.string(),
    fc.nat(root.length + 1).map((end) => `${root}/`.slice(0, end)),
    fc.string().map((tail) => `${root}/${tail}`),
  );
  fc.assert(
    fc.property(near, fc.constantFrom('', '/x', 'x', '/'), (head, tail) => {
      const path = head + tail;
      // A regular expression's $ and . know nothing of line ends here: neither is used with them.
      expect(outside(root).test(path)).toBe(!path.startsWith(`${root}/`));
    }),
  );
});

test('atOrBelow matches the paths and what lies below them only', () => {
  const filter = atOrBelow(['/a/link', '/a/x.ts']);
  expect(['/a/link', '/a/link/y.ts', '/a/x.ts'].every((path) => filter.test(path))).toBe(true);
  expect(['/a/link2', '/a/xxts', '/a'].some((path) => filter.test(path))).toBe(false);
});
