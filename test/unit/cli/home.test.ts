import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { resolveHome, serviceHome } from '../../../cli/home.ts';

test('resolveHome takes the flag before the environment', () => {
  expect(resolveHome('here', { env: { FNRUN_HOME: '/there' }, cwd: '/work' })).toBe('/work/here');
});

test('resolveHome takes $FNRUN_HOME when there is no flag', () => {
  expect(resolveHome(undefined, { env: { FNRUN_HOME: '/there' }, cwd: '/work' })).toBe('/there');
});

test.runIf(!existsSync(serviceHome))(
  'resolveHome takes ./.fnrun when nothing is named and no service home is there',
  () => {
    expect(resolveHome(undefined, { env: { FNRUN_HOME: '' }, cwd: '/work' })).toBe('/work/.fnrun');
  },
);
