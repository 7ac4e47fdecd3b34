import { expect, test } from 'vitest';
import { appPaths, checkSocketPath, homePaths } from '../../../deploy/paths.ts';

test('homePaths keeps the fixed layout', () => {
  const home = homePaths('/srv/f');
  expect(home.controlSocket).toBe('/srv/f/run/control.sock');
  expect(appPaths(home, 'hello')).toMatchObject({
    repository: '/srv/f/apps/hello/repo.git',
    releases: '/srv/f/apps/hello/releases',
    live: '/srv/f/apps/hello/live',
    socket: '/srv/f/run/hello.sock',
    logFile: '/srv/f/logs/hello.ndjson',
  });
});

test('checkSocketPath refuses a path that the kernel would cut', () => {
  expect(() => checkSocketPath(`/${'x'.repeat(106)}`)).not.toThrow();
  expect(() => checkSocketPath(`/${'x'.repeat(110)}`)).toThrowError(
    expect.objectContaining({ code: 'FN_NAME_TOO_LONG' }),
  );
  // Bytes count, not characters.
  expect(() => checkSocketPath(`/${'ä'.repeat(60)}`)).toThrowError(
    expect.objectContaining({ code: 'FN_NAME_TOO_LONG' }),
  );
});
