import { execFile } from 'node:child_process';
import { readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { load, makeApp } from './app.ts';
import { packageRoot } from '../../../runtime/entry-points.ts';

const files = {
  'lib/x.ts': 'export const x = 1;\n',
  'functions/a.ts': 'import { x } from "../lib/x.ts"; export default () => x;\n',
  'functions/b.ts': 'import { x } from "../lib/x.ts"; export default () => -x;\n',
  'functions/c.ts': 'export default () => "c";\n',
  'functions/d.ts': 'export default () => "d";\n',
};

test('only functions that share sources with a change are bundled, and only changed ones told', async () => {
  await using app = await makeApp(files);
  expect(await app.build()).toMatchObject({ bundled: 4, changed: ['a', 'b', 'c', 'd'] });
  expect(await app.build()).toMatchObject({ bundled: 0, changed: [] });
  await app.write({ 'functions/c.ts': 'export default () => "c2";\n' });
  expect(await app.build()).toMatchObject({ bundled: 1, changed: ['c'] });
  await app.write({ 'functions/a.ts': 'import { x } from "../lib/x.ts"; export default () => x + 1;\n' });
  expect(await app.build()).toMatchObject({ bundled: 2, changed: ['a'] });
  await app.write({ 'lib/x.ts': 'export const x = 2;\n' });
  expect(await app.build()).toMatchObject({ bundled: 2, changed: ['a', 'b'] });
  await app.write({ 'functions/e.ts': 'export default () => "e";\n' });
  expect(await app.build()).toMatchObject({ bundled: 1, changed: ['e'] });
  await rm(join(app.source, 'functions/d.ts'));
  expect(await app.build()).toMatchObject({ bundled: 0, changed: [] });
});

test('change of a setting bundles nothing and changes the function', async () => {
  await using app = await makeApp(files);
  await app.build();
  await app.write({ 'fnrun.json': '{ "functions": { "c": { "timeoutMs": 7 } } }' });
  expect(await app.build()).toMatchObject({ bundled: 0, changed: ['c'] });
});

test('comment makes a function another one, because its stacks name other lines', async () => {
  await using app = await makeApp(files);
  await app.build();
  await app.write({ 'functions/c.ts': '// one\n// two\nexport default () => "c";\n' });
  expect(await app.build()).toMatchObject({ changed: ['c'] });
});

const resolutions: [string, Record<string, string>, Record<string, string>][] = [
  [
    'a file appears that an import prefers',
    { 'lib/y.js': 'export const y = 1;\n' },
    { 'lib/y.ts': 'export const y = 2;\n' },
  ],
  [
    'a file appears in place of a folder',
    { 'lib/y/index.ts': 'export const y = 1;\n' },
    { 'lib/y.ts': 'export const y = 2;\n' },
  ],
  [
    'tsconfig.json appears',
    { 'lib/y.ts': 'export class y { z; }\n' },
    { 'lib/tsconfig.json': '{ "compilerOptions": { "useDefineForClassFields": false } }' },
  ],
];

test.each(resolutions)('function is bundled again when %s', async (_, before, after) => {
  await using app = await makeApp({
    'functions/a.ts': 'import { y } from "../lib/y"; export default () => y;\n',
    ...before,
  });
  await app.build();
  await app.write(after);
  const changed = await app.build();
  expect(changed).toMatchObject({ bundled: 1, changed: ['a'] });
  await using fresh = await makeApp({
    'functions/a.ts': 'import { y } from "../lib/y"; export default () => y;\n',
    ...before,
    ...after,
  });
  expect((await fresh.build()).release).toBe(changed.release);
});

test('unchanged functions are not bundled in another process either: it builds without a bundler', async () => {
  await using app = await makeApp(files);
  const first = await app.build();
  await rm(app.releases, { recursive: true });
  const script = join(app.dir, 'again.ts');
  const options = JSON.stringify({ sourceDir: app.source, releasesDir: app.releases, cacheDir: app.cache });
  const module = JSON.stringify(join(packageRoot(), 'builder/build.ts'));
  await writeFile(
    script,
    `import { build } from ${module};\nconst { release, reused, bundled } = await build(${options});\nconsole.log(JSON.stringify({ release, reused, bundled }));\n`,
  );
  // esbuild cannot start in that process: any call of it would fail the build.
  const env = { ...process.env, ESBUILD_BINARY_PATH: '/nonexistent' };
  const { stdout } = await promisify(execFile)(process.execPath, [script], { env, timeout: 20_000 });
  expect(JSON.parse(stdout)).toEqual({ release: first.release, reused: false, bundled: 0 });
});

test('sources under another path build from the same cache', async () => {
  await using app = await makeApp(files);
  const first = await app.build();
  await symlink(app.source, join(app.dir, 'other'));
  expect(await app.build({ sourceDir: join(app.dir, 'other') })).toMatchObject({ release: first.release, bundled: 0 });
});

test('damaged cache is made anew', async () => {
  await using app = await makeApp(files);
  const first = await app.build();
  await writeFile(join(app.cache, 'bundles-3/state.json'), '{ half');
  await rm(app.releases, { recursive: true });
  expect(await app.build()).toMatchObject({ release: first.release, reused: false, bundled: 0 });
});

test('files of the cache that a power failure emptied are made anew', async () => {
  await using app = await makeApp(files);
  const first = await app.build();
  await rm(app.releases, { recursive: true });
  const bundles = (await readdir(app.cache, { recursive: true })).filter((path) => path.endsWith('functions/c.mjs'));
  expect(bundles).toHaveLength(1);
  await rm(join(app.cache, bundles[0]!));
  await writeFile(join(app.cache, bundles[0]!), '');
  const again = await app.build();
  expect(again).toMatchObject({ release: first.release, reused: false, bundled: 1 });
  expect(load(again, 'c')['default']()).toBe('c');
});

test('changed package in node_modules is bundled again when it is used as it is', async () => {
  await using app = await makeApp({
    'functions/a.ts': 'import x from "pack"; export default () => x;\n',
    'functions/c.ts': 'export default () => 1;\n',
    'node_modules/pack/package.json': '{ "name": "pack", "main": "index.js" }',
    'node_modules/pack/index.js': 'module.exports = 1;\n',
  });
  await app.build({ useLocalModules: true });
  expect(await app.build({ useLocalModules: true })).toMatchObject({ bundled: 0 });
  await app.write({ 'node_modules/pack/index.js': 'module.exports = 2222;\n' });
  expect(await app.build({ useLocalModules: true })).toMatchObject({ bundled: 1, changed: ['a'] });
});
