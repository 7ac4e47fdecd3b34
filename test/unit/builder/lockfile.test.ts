import { expect, test } from 'vitest';
import { checkLockfile, countPackages, localArchives } from '../../../builder/dependencies/lockfile.ts';
import { checkPackageText } from '../../../builder/dependencies/package-json.ts';

const packageText = `{
  "dependencies": {
    "hono": "^4.0.0",
    "ms": "^2.1.3"
  }
}`;

function check(lock: unknown, text = packageText) {
  const { value, file } = checkPackageText(text);
  return checkLockfile({ packageJson: value!, packageFile: file!, lock, lockfile: 'package-lock.json' });
}

test('lockfile in step passes', () => {
  expect(check({ lockfileVersion: 3, packages: { '': { dependencies: { hono: '^4.0.0', ms: '^2.1.3' } } } })).toEqual(
    [],
  );
});

test('lockfile out of step fails at the line of package.json, with the command to run', () => {
  const problems = check({ packages: { '': { dependencies: { ms: '^2.0.0', left: '^1.0.0' } } } });
  expect(problems).toMatchObject([
    {
      code: 'FN_LOCKFILE',
      file: 'package.json',
      line: 3,
      column: 13,
      message: 'package.json asks for hono@^4.0.0, package-lock.json does not have it',
    },
    { file: 'package.json', line: 4, message: 'package.json asks for ms@^2.1.3, package-lock.json has ms@^2.0.0' },
    { file: 'package-lock.json', message: 'package-lock.json has left, package.json does not ask for it' },
  ]);
  expect(problems.map(({ hint }) => hint)).toEqual(Array(3).fill('run "npm install", and commit package-lock.json'));
});

test('lockfile of npm 6 is compared by names', () => {
  expect(check({ lockfileVersion: 1, dependencies: { hono: {}, ms: {} } })).toEqual([]);
  expect(check({ lockfileVersion: 1, dependencies: { ms: {} } })).toMatchObject([{ line: 3 }]);
});

test('dependency in both fields counts as optional, as npm writes it', () => {
  const text = '{ "dependencies": { "a": "1" }, "optionalDependencies": { "a": "1" } }';
  expect(check({ packages: { '': { optionalDependencies: { a: '1' } } } }, text)).toEqual([]);
});

test('folder as a dependency is refused at its line', () => {
  const lock = {
    packages: {
      '': { dependencies: { hono: '^4.0.0', ms: '^2.1.3' } },
      'node_modules/ms': { link: true, resolved: 'lib/ms' },
    },
  };
  expect(check(lock)).toMatchObject([
    { code: 'FN_LOCKFILE', file: 'package.json', line: 4, message: expect.stringContaining('is a folder') },
  ]);
});

test.each([null, [], 'x'])('%j is no lockfile', (lock) => {
  expect(check(lock)).toMatchObject([{ message: 'package-lock.json is no lockfile of npm' }]);
});

test('localArchives and countPackages read the packages of a lockfile', () => {
  const lock = {
    packages: {
      '': {},
      'node_modules/a': { resolved: 'file:vendor/a.tgz' },
      'node_modules/b': { resolved: 'https://example.org/b.tgz' },
      'node_modules/c': { resolved: 'https://example.org/c.tgz', dev: true },
    },
  };
  expect(localArchives(lock)).toEqual(['vendor/a.tgz']);
  expect(countPackages(lock)).toBe(2);
});

test('package.json that is no JSON, or has odd dependencies, is told', () => {
  expect(checkPackageText('{').problems).toMatchObject([{ code: 'FN_LOCKFILE', file: 'package.json', line: 1 }]);
  expect(checkPackageText('[]').problems).toHaveLength(1);
  expect(checkPackageText('{\n"dependencies": ["ms"]}').problems).toMatchObject([
    { line: 2, message: expect.stringContaining('dependencies must be') },
  ]);
});
