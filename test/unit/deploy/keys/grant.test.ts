import { expect, test } from 'vitest';
import { describeGrant, mayDo, mayMove } from '../../../../deploy/keys/grant.ts';
import type { AccessWanted } from '../../../../router/control/service.ts';
import type { KeyGrant } from '../../../../router/control/key-types.ts';

const none: KeyGrant = { apps: [], branches: null, create: false, readOnly: false, admin: false };
const shop = { ...none, apps: ['shop'] };
const wanted = (text: string): AccessWanted => {
  const [right, app] = text.split(' ');
  return (app === undefined ? { right } : { right, app }) as AccessWanted;
};
const everything = [
  'own',
  'create',
  'admin',
  'see shop',
  'push shop',
  'change shop',
  'see blog',
  'push blog',
  'change blog',
];

test.each<[string, KeyGrant, string[]]>([
  ['no app', none, ['own']],
  ['one app', shop, ['own', 'see shop', 'push shop', 'change shop']],
  ['one app to read', { ...shop, readOnly: true }, ['own', 'see shop']],
  ['one app and new ones', { ...shop, create: true }, ['own', 'create', 'see shop', 'push shop', 'change shop']],
  ['the branch that deploys', { ...shop, branches: ['main'] }, ['own', 'see shop', 'push shop', 'change shop']],
  ['another branch', { ...shop, branches: ['topic'] }, ['own', 'see shop', 'push shop']],
  ['every app', { ...none, apps: null }, everything.filter((one) => one !== 'create' && one !== 'admin')],
  ['everything', { ...none, apps: null, admin: true }, everything],
])('a key for %s may do no more', (_, grant, may) => {
  expect(everything.filter((one) => mayDo(grant, wanted(one), { production: 'main' }))).toEqual(may);
});

test('a key for an app has the previews of that app, and of no other', () => {
  const see = (app: string): boolean => mayDo(shop, { right: 'see', app });
  expect(['topic--shop', 'feature-shop--shop', 'shop--blog', 'topic--shop2'].map(see)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('mayMove holds a key to its branches, and then to no tags', () => {
  const refs = [
    'refs/heads/main',
    'refs/heads/feature/a',
    'refs/heads/feature',
    'refs/heads/features/a',
    'refs/tags/v1',
  ];
  const moved = (grant: KeyGrant): string[] => refs.filter((ref) => mayMove(grant, ref));
  expect(moved(shop)).toEqual(refs);
  expect(moved({ ...shop, branches: ['feature/*'] })).toEqual(['refs/heads/feature/a']);
  expect(moved({ ...shop, branches: ['main'] })).toEqual(['refs/heads/main']);
  expect(moved({ ...shop, readOnly: true })).toEqual([]);
});

test.each<[KeyGrant, string]>([
  [none, 'may do nothing'],
  [{ ...none, create: true }, 'may make new apps by pushing to them'],
  [{ ...shop, branches: ['main'] }, 'may push to shop (only main)'],
  [{ ...none, apps: ['a', 'b', 'c'], readOnly: true }, 'may clone and look at a, b and c'],
  [{ ...none, apps: ['a', 'b', 'c', 'd', 'e', 'f'] }, 'may push to a, b, c, d and 2 more'],
  [{ ...none, apps: null, create: true }, 'may push to every app, and make new apps by pushing to them'],
])('describeGrant says what a key may do: %j', (grant, text) => {
  expect(describeGrant(grant)).toBe(text);
});
