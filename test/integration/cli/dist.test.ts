import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundleDist } from '../../../cli/build/bundle.ts';
import { isStale } from '../../../cli/build/stale.js';
import { repositoryRoot } from '../../support/cli.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

const folders = ['cli', 'runtime', 'router', 'builder', 'deploy'];

/** A copy of the checkout's sources, for builds that must not touch the real dist/. */
async function checkout() {
  const dir = await makeTempDir();
  for (const folder of folders) await cp(join(repositoryRoot, folder), join(dir.path, folder), { recursive: true });
  await cp(join(repositoryRoot, 'package.json'), join(dir.path, 'package.json'));
  await symlink(join(repositoryRoot, 'node_modules'), join(dir.path, 'node_modules'));
  return dir;
}

async function filesOf(dir: string): Promise<string[]> {
  return (await readdir(join(dir, 'dist'), { recursive: true })).sort();
}

test('bundleDist makes every program, and nothing half written', async () => {
  await using dir = await checkout();
  await bundleDist(dir.path);
  const files = await filesOf(dir.path);
  for (const name of [
    'cli/main.js',
    'cli/receive/main.js',
    'runtime/host/main.cjs',
    'runtime/worker/main.cjs',
    'deploy/hook.js',
    'mysql.d.ts',
    'types.d.ts',
  ]) {
    expect(files).toContain(name);
  }
  expect(files.filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('the programs that start often are one file each', async () => {
  await using dir = await checkout();
  await bundleDist(dir.path);
  for (const name of ['runtime/host/main.cjs', 'runtime/worker/main.cjs', 'deploy/hook.js', 'cli/receive/main.js']) {
    const text = await readFile(join(dir.path, 'dist', name), 'utf8');
    expect(text).not.toContain('chunks/');
  }
});

test('bundleDist makes the same files when two builds run at once', async () => {
  await using dir = await checkout();
  await bundleDist(dir.path);
  const before = await filesOf(dir.path);
  await Promise.all([bundleDist(dir.path), bundleDist(dir.path), bundleDist(dir.path)]);
  expect(await filesOf(dir.path)).toEqual(before);
});

test('isStale is true without a build, false after it, and true after a save', async () => {
  await using dir = await checkout();
  expect(isStale(dir.path)).toBe(true);
  await bundleDist(dir.path);
  expect(isStale(dir.path)).toBe(false);
  const later = Date.now() / 1000 + 10;
  await utimes(join(dir.path, 'runtime/contract/limits.ts'), later, later);
  expect(isStale(dir.path)).toBe(true);
  await bundleDist(dir.path);
  await utimes(join(dir.path, 'runtime/contract/limits.ts'), 0, 0);
  expect(isStale(dir.path)).toBe(false);
  // Packages were installed since.
  await unlink(join(dir.path, 'node_modules'));
  await mkdir(join(dir.path, 'node_modules'));
  await writeFile(join(dir.path, 'node_modules/.package-lock.json'), '{}');
  await utimes(join(dir.path, 'node_modules/.package-lock.json'), later, later);
  expect(isStale(dir.path)).toBe(true);
});

test('the launcher rebuilds a checkout whose sources are newer', async () => {
  await using dir = await checkout();
  await mkdir(join(dir.path, 'dist'), { recursive: true });
  const source = join(dir.path, 'cli/help.ts');
  await writeFile(source, (await readFile(source, 'utf8')).replace('get HTTP.', 'get rebuilt.'));
  const stdout = execFileSync(process.execPath, [join(dir.path, 'cli/fnrun.js'), '--help'], { encoding: 'utf8' });
  expect(stdout).toContain('get rebuilt.');
});
