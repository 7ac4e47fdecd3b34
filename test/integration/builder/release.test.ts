import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { load, makeApp } from './app.ts';

const hello = 'export default () => new Response("hello");\n';

test('release holds the manifest, bundles, maps and public files', async () => {
  await using app = await makeApp({
    'functions/index.ts': hello,
    'functions/users/[id]/index.ts': 'export const GET = () => new Response("user");\n',
    'functions/legacy.js': 'exports.handler = async () => ({ statusCode: 200 });\n',
    'functions/_lib/shared.ts': 'export const x = 1;\n',
    'functions/.hidden/index.ts': hello,
    'functions/users/helper.ts': 'export {};\n',
    'functions/hello.test.ts': hello,
    'functions/types.d.ts': 'export {};\n',
    'public/css/site.css': 'body{}',
    'fnrun.json':
      '{ "domains": ["Shop.Example.org"], "defaults": { "timeoutMs": 5 }, "functions": { "users/[id]": { "timeoutMs": 9 } } }',
  });
  const built = await app.build();
  const { manifest } = built;
  expect(
    manifest.functions.map(({ name, route, source, commonjs, settings, defaults }) => [
      name,
      route,
      source,
      commonjs,
      settings,
      defaults,
    ]),
  ).toEqual([
    ['index', '/', 'functions/index.ts', false, {}, { timeoutMs: 5 }],
    ['legacy', '/legacy', 'functions/legacy.js', true, {}, { timeoutMs: 5 }],
    ['users/[id]', '/users/:id', 'functions/users/[id]/index.ts', false, { timeoutMs: 9 }, { timeoutMs: 5 }],
  ]);
  expect(manifest).toMatchObject({
    schema: 1,
    release: expect.stringMatching(/^[0-9a-f]{16}$/),
    public: ['css/site.css'],
  });
  expect(manifest).toMatchObject({ domains: ['shop.example.org'], dependencies: { lockHash: null, external: [] } });
  expect(JSON.parse(await readFile(join(built.dir, 'manifest.json'), 'utf8'))).toEqual(manifest);
  expect(built.dir).toBe(join(app.releases, manifest.release));
  expect((await readdir(built.dir, { recursive: true })).filter((path) => /\.\w+$/.test(path)).toSorted()).toEqual([
    'functions/index.mjs',
    'functions/index.mjs.map',
    'functions/legacy.mjs',
    'functions/legacy.mjs.map',
    'functions/users/[id].mjs',
    'functions/users/[id].mjs.map',
    'manifest.json',
    'public/css/site.css',
  ]);
  expect(await load(built, 'users/[id]')['GET']().text()).toBe('user');
  expect(await load(built, 'legacy')['default'].handler()).toEqual({ statusCode: 200 });
});

test('release is the same, byte for byte, wherever the sources and the cache lie', async () => {
  const files = {
    'functions/a/index.ts': 'import { x } from "../../lib/x.ts"; export default () => x;\n',
    'functions/b/index.tsx':
      'import { x } from "../../lib/x.ts"; import t from "../../lib/t.cjs"; export default () => [x, t];\n',
    'functions/c.ts': hello,
    'lib/x.ts': 'export const x = 1;\n',
    'lib/t.cjs': 'module.exports = __dirname;\n',
    'public/a.txt': 'a',
    'fnrun.json': '{ "defaults": { "timeoutMs": 5, "memoryMb": 64 } }',
  };
  await using first = await makeApp(files);
  await using second = await makeApp({ ...files, 'fnrun.json': '{ "defaults": { "memoryMb": 64, "timeoutMs": 5 } }' });
  const [a, b] = [await first.build(), await second.build()];
  expect(a.release).toBe(b.release);
  expect(await contentsOf(a.dir)).toEqual(await contentsOf(b.dir));
});

test('release is the same whatever was built before with the cache', async () => {
  const sharing = 'import { x } from "../lib/x.ts"; export default () => x;\n';
  await using app = await makeApp({
    'functions/a.ts': sharing,
    'functions/b.ts': hello,
    'lib/x.ts': 'export const x = 1;\n',
  });
  const apart = await app.build();
  await app.write({ 'functions/b.ts': sharing });
  const together = await app.build();
  await using fresh = await makeApp({
    'functions/a.ts': sharing,
    'functions/b.ts': sharing,
    'lib/x.ts': 'export const x = 1;\n',
  });
  expect(together.release).toBe((await fresh.build()).release);
  await app.write({ 'functions/b.ts': hello });
  expect(await app.build()).toMatchObject({ release: apart.release, reused: true, changed: [], bundled: 0 });
});

test('release that exists is reused, with what was added to its manifest', async () => {
  await using app = await makeApp({ 'functions/a.ts': hello });
  const first = await app.build();
  expect(first).toMatchObject({ reused: false, changed: ['a'] });
  const before = await stat(join(first.dir, 'functions/a.mjs'));
  const second = await app.build();
  expect(second).toMatchObject({ release: first.release, reused: true, changed: [] });
  expect((await stat(join(first.dir, 'functions/a.mjs'))).mtimeMs).toBe(before.mtimeMs);
  expect(await readdir(app.releases)).toEqual([first.release]);
});

test('settings, public files and routes make another release; comments in package.json of no function do not', async () => {
  await using app = await makeApp({ 'functions/a.ts': hello, 'package.json': '{ "name": "a" }' });
  const ids = new Set([(await app.build()).release]);
  const next = async (files: Record<string, string>): Promise<number> => {
    await app.write(files);
    return ids.add((await app.build()).release).size;
  };
  expect(await next({ 'package.json': '{ "name": "b" }' })).toBe(1);
  expect(await next({ 'public/a.txt': '1' })).toBe(2);
  expect(await next({ 'public/a.txt': '2' })).toBe(3);
  expect(await next({ 'fnrun.json': '{ "domains": ["a.example"] }' })).toBe(4);
  expect(await next({ 'fnrun.json': '{ "functions": { "a": { "memoryMb": 64 } } }' })).toBe(5);
});

test('unchanged public file keeps its time over releases, because servers make the ETag of it', async () => {
  await using app = await makeApp({ 'functions/a.ts': hello, 'public/a.txt': 'a' });
  const first = await app.build();
  await app.write({ 'functions/a.ts': `${hello}//`, 'public/a.txt': 'a' });
  const second = await app.build();
  expect(second.release).not.toBe(first.release);
  const times = await Promise.all(
    [first, second].map(async ({ dir }) => (await stat(join(dir, 'public/a.txt'))).mtimeMs),
  );
  expect(times[0]).toBe(times[1]);
});

test('durable release is written the same', async () => {
  await using app = await makeApp({ 'functions/a.ts': hello, 'public/a.txt': 'a' });
  const built = await app.build({ durable: true });
  expect(built.reused).toBe(false);
  expect(await load(built, 'a')['default']().text()).toBe('hello');
});

test('builds of one app at once make one release', async () => {
  await using app = await makeApp({ 'functions/a.ts': hello, 'functions/b.ts': hello, 'public/a.txt': 'a' });
  const built = await Promise.all([app.build(), app.build(), app.build()]);
  expect(new Set(built.map(({ release }) => release)).size).toBe(1);
  expect(await readdir(app.releases)).toEqual([built[0].release]);
  expect(await readdir(join(app.cache, 'views'))).toEqual([]);
});

test('cache and releases may lie in the app', async () => {
  await using app = await makeApp({ 'functions/a.ts': hello });
  const places = { cacheDir: join(app.source, '.fnrun/cache'), releasesDir: join(app.source, '.fnrun/releases') };
  const first = await app.build(places);
  await app.write({ 'functions/a.ts': `${hello}//` });
  expect(await app.build(places)).toMatchObject({ bundled: 1, reused: false });
  await using other = await makeApp({ 'functions/a.ts': hello });
  expect(first.release).toBe((await other.build()).release);
});

test('nothing is written into the sources', async () => {
  await using app = await makeApp({ 'functions/a.ts': hello, 'public/a.txt': 'a' });
  const before = await readdir(app.source, { recursive: true });
  await app.build();
  expect(await readdir(app.source, { recursive: true })).toEqual(before);
});

test('aborted build rejects with the reason of its signal', async () => {
  await using app = await makeApp({ 'functions/a.ts': hello });
  const reason = new Error('superseded');
  await expect(app.build({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

async function contentsOf(dir: string): Promise<Record<string, string>> {
  const paths = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const read = paths.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [path.slice(dir.length), await readFile(path, 'utf8')] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}
