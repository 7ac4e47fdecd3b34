import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAtLeast, nodeFor, type CallerNode } from '../../../../../deploy/server/payload/node.ts';
import { neededPackages, type Platform } from '../../../../../deploy/server/payload/packages.ts';
import { describePayload, packPayload, sumsFile } from '../../../../../deploy/server/payload/payload.ts';
import { makeTempDir, writeTree, type TempDir } from '../../../../support/temp-dir.ts';

const x64: Platform = { os: 'linux', cpu: 'x64', libc: 'glibc' };
const long = `${'folder/'.repeat(14)}${'n'.repeat(90)}.js`;
const json = (value: object): string => JSON.stringify(value);

/** A package of its own, with what npm would have put beside and below it. */
const tree = {
  'fnrun/package.json': json({ name: 'fnrun', version: '1.2.3', dependencies: { hono: '1', esbuild: '1', own: '1' } }),
  'fnrun/cli/fnrun.js': '#!/usr/bin/env node\n',
  'fnrun/dist/main.js': 'main',
  'fnrun/dist/.stamp': 'not for servers',
  [`fnrun/dist/${long}`]: 'deep',
  'fnrun/docs/cli.md': 'docs',
  'fnrun/test/secret.test.ts': 'not for servers',
  'fnrun/node_modules/own/package.json': json({ name: 'own', dependencies: { inner: '1', hono: '1' } }),
  'fnrun/node_modules/own/node_modules/inner/package.json': json({ name: 'inner' }),
  'fnrun/node_modules/vitest/package.json': json({ name: 'vitest' }),
  'node_modules/hono/package.json': json({ name: 'hono' }),
  'node_modules/hono/index.js': 'hono',
  'node_modules/esbuild/package.json': json({
    name: 'esbuild',
    optionalDependencies: { '@esbuild/linux-x64': '1', '@esbuild/darwin-arm64': '1', '@esbuild/linux-arm64': '1' },
  }),
  'node_modules/@esbuild/linux-x64/package.json': json({ name: '@esbuild/linux-x64', os: ['linux'], cpu: ['x64'] }),
  'node_modules/@esbuild/linux-x64/bin/esbuild': 'program',
  'node_modules/@esbuild/darwin-arm64/package.json': json({ os: ['darwin'], cpu: ['arm64'] }),
  'npm/bin/npm-cli.js': 'npm',
  'npm/node_modules/abbrev/index.js': 'abbrev',
  node: 'the program',
};

describe('fnrun for a server', () => {
  let work: TempDir;
  let root: string;

  beforeEach(async () => {
    work = await makeTempDir('fn-');
    // Global packages lie in a node_modules folder.
    await writeTree(join(work.path, 'node_modules'), {});
    await writeTree(work.path, tree);
    root = join(work.path, 'fnrun');
    await chmod(join(work.path, 'node_modules/@esbuild/linux-x64/bin/esbuild'), 0o755);
    await symlink('/etc/passwd', join(work.path, 'node_modules/hono/link'));
  });

  afterEach(() => work.remove());

  const sources = () => ({
    root,
    packages: neededPackages(root, x64),
    node: join(work.path, 'node'),
    npm: join(work.path, 'npm'),
  });

  it('has the packages that it needs and no other, each where Node finds it', () => {
    expect(neededPackages(root, x64).map(({ path }) => path)).toEqual([
      'node_modules/@esbuild/linux-x64',
      'node_modules/esbuild',
      'node_modules/hono',
      'node_modules/own',
      'node_modules/own/node_modules/inner',
    ]);
  });

  it('is refused where a part for the server is not installed', () => {
    expect(() => neededPackages(root, { ...x64, cpu: 'arm64' })).toThrow(
      expect.objectContaining({
        code: 'FN_SETUP_FAILED',
        message: expect.stringContaining('esbuild for the server (linux, arm64)'),
        hint: expect.stringContaining('npm install --no-save --os=linux --cpu=arm64 @esbuild/linux-arm64'),
      }),
    );
  });

  it('is an archive that tar unpacks and sha256sum finds whole', async () => {
    const payload = await describePayload(sources());
    const { file, sha256 } = await packPayload(payload, { cache: join(work.path, 'cache'), arch: 'x64' });
    const out = join(work.path, 'out');
    await writeTree(out, {});
    execFileSync('mkdir', [out]);
    execFileSync('tar', ['-xzf', file, '-C', out]);
    execFileSync('sha256sum', ['-c', '--quiet', sumsFile], { cwd: out });
    expect(execFileSync('sha256sum', [file], { encoding: 'utf8' })).toContain(sha256);
    expect((await readdir(out)).sort()).toEqual(
      [sumsFile, 'bin', 'cli', 'dist', 'docs', 'lib', 'node_modules', 'package.json'].sort(),
    );
    expect(await readFile(join(out, 'dist', long), 'utf8')).toBe('deep');
    expect(await readFile(join(out, 'lib/node_modules/npm/node_modules/abbrev/index.js'), 'utf8')).toBe('abbrev');
    expect((await stat(join(out, 'bin/node'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(out, 'node_modules/@esbuild/linux-x64/bin/esbuild'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(out, 'package.json'))).mode & 0o777).toBe(0o644);
    for (const absent of ['dist/.stamp', 'node_modules/hono/link']) expect(existsSync(join(out, absent))).toBe(false);
  });

  it('is not packed when a file was changed since it was listed, and nothing of it is kept', async () => {
    const payload = await describePayload(sources());
    await writeFile(join(root, 'dist/main.js'), 'MAIN');
    const cache = join(work.path, 'cache');
    await expect(packPayload(payload, { cache, arch: 'x64' })).rejects.toThrow(
      /main\.js was changed while it was packed/,
    );
    expect(await readdir(cache)).toEqual([]);
  });

  it('has one name and one sum for the same bytes, and another name for others', async () => {
    const cache = (name: string): string => join(work.path, name);
    const first = await describePayload(sources());
    const one = await packPayload(first, { cache: cache('a'), arch: 'x64' });
    await utimes(join(root, 'dist/main.js'), 1, 1);
    const second = await describePayload(sources());
    expect(second.name).toBe(first.name);
    expect(first.name).toMatch(/^1\.2\.3-[0-9a-f]{12}$/);
    expect((await packPayload(second, { cache: cache('b'), arch: 'x64' })).sha256).toBe(one.sha256);
    await writeFile(join(root, 'dist/main.js'), 'changed');
    expect((await describePayload(sources())).name).not.toBe(first.name);
  });
});

describe('the Node for a server', () => {
  const caller: CallerNode = {
    platform: 'linux',
    arch: 'x64',
    execPath: '/usr/bin/node',
    version: 'v26.10.0',
    glibc: '2.28',
  };

  it("is the caller's own where it fits", () => {
    expect(nodeFor({ arch: 'x64', glibc: '2.36' }, { caller, root: '/nowhere' })).toBe('/usr/bin/node');
  });

  it.each([
    [{ arch: 'x64', glibc: '2.17' }, caller, 'needs glibc 2.28; the server has 2.17'],
    [{ arch: 'x64', glibc: null }, caller, 'no glibc'],
    [{ arch: 'arm64', glibc: '2.36' }, caller, 'There is no Node v26.10.0 for the server (linux, arm64) here'],
    [{ arch: 'x64', glibc: '2.36' }, { ...caller, glibc: null }, 'There is no Node v26.10.0'],
    [{ arch: 'x64', glibc: '2.36' }, { ...caller, platform: 'darwin' }, 'There is no Node v26.10.0'],
  ])('is refused with a clear word: %j', (target, from, message) => {
    expect(() => nodeFor(target, { caller: from, root: '/nowhere' })).toThrow(message);
  });

  it('is compared by number', () => {
    expect([isAtLeast('2.36', '2.28'), isAtLeast('2.4', '2.28'), isAtLeast('2.28', '2.28')]).toEqual([
      true,
      false,
      true,
    ]);
  });
});
