import { expect, test } from 'vitest';
import { wantedOf } from '../../../router/control/key-guard.ts';

test.each([
  ['GET', '/v1/health', 'own'],
  ['GET', '/v1/apps', 'own'],
  ['GET', '/v1/ps', 'own'],
  ['GET', '/v1/access', 'own'],
  ['POST', '/v1/apps', 'create'],
  ['GET', '/v1/apps/shop', 'see shop'],
  ['GET', '/v1/apps/shop/deployments', 'see shop'],
  ['GET', '/v1/apps/shop/deployments/0123/log', 'see shop'],
  ['GET', '/v1/apps/shop/logs', 'see shop'],
  ['GET', '/v1/apps/shop/migrations', 'see shop'],
  ['POST', '/v1/apps/shop/receive', 'push shop'],
  ['POST', '/v1/apps/shop/activate', 'push shop'],
  ['POST', '/v1/apps/shop/rollback', 'change shop'],
  ['POST', '/v1/apps/shop/authorize', 'change shop'],
  ['GET', '/v1/apps/shop/env', 'change shop'],
  ['PUT', '/v1/apps/shop/env', 'change shop'],
  ['POST', '/v1/apps/shop/what-comes-later', 'change shop'],
  ['DELETE', '/v1/apps/shop', 'admin'],
  ['GET', '/v1/keys', 'admin'],
  ['POST', '/v1/keys', 'admin'],
  ['DELETE', '/v1/keys/ann', 'admin'],
  ['GET', '/v1/what-comes-later', 'admin'],
  ['HEAD', '/v1/apps', 'admin'],
  ['GET', '/v1//apps', 'admin'],
  ['GET', '/v1/apps/', 'admin'],
])('wantedOf takes %s %s for %s', (method, path, wanted) => {
  const { right, app } = wantedOf(method, path) as { right: string; app?: string };
  expect([right, app].filter((one) => one !== undefined).join(' ')).toBe(wanted);
});

test('wantedOf refuses an app whose name could be read in two ways', () => {
  expect(() => wantedOf('GET', '/v1/apps/sho%70')).toThrow('plain form');
});
