import { expect, test } from 'vitest';
import { resolveAppPermissions } from '../../../../runtime/contract/app-permissions.ts';
import { permissionFlags } from '../../../../runtime/supervisor/permission-flags.ts';

test('app without permissions may start threads and connect, and nothing else', () => {
  const flags = permissionFlags(resolveAppPermissions({}), { readable: ['/home/x/releases'] });
  expect(flags).toContain('--permission');
  expect(flags.filter((flag) => /^--allow-(?!fs)/.test(flag))).toEqual(['--allow-worker', '--allow-net']);
  expect(flags).toContain('--allow-fs-read=/home/x/releases');
  expect(flags.filter((flag) => flag.startsWith('--allow-fs-write'))).toEqual([
    '--allow-fs-write=/tmp',
    '--allow-fs-write=/dev/null',
  ]);
  expect(flags).not.toContain('--allow-fs-read=*');
});

test('permissions become flags, and what may be written may be read', () => {
  const all = {
    childProcess: true,
    addons: true,
    inspector: true,
    wasi: true,
    fsRead: ['/srv/a'],
    fsWrite: ['/srv/b'],
  };
  expect(permissionFlags(all, { readable: [] })).toEqual(
    expect.arrayContaining([
      '--allow-child-process',
      '--allow-addons',
      '--allow-inspector',
      '--allow-wasi',
      '--allow-fs-read=/srv/a',
      '--allow-fs-read=/srv/b',
      '--allow-fs-write=/srv/b',
    ]),
  );
});

test('all files are one flag', () => {
  const reads = (flags: string[]): string[] => flags.filter((flag) => flag.startsWith('--allow-fs-read'));
  expect(reads(permissionFlags(resolveAppPermissions({}), { readable: null }))).toEqual(['--allow-fs-read=*']);
  expect(reads(permissionFlags(resolveAppPermissions({ fsRead: ['*'] }), { readable: ['/a'] }))).toEqual([
    '--allow-fs-read=*',
  ]);
});
