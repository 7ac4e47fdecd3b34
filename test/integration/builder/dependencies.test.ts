import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findNpm } from '../../../builder/dependencies/npm.ts';
import { load, makeApp, places } from './app.ts';
import type { TestApp } from './app.ts';
import { startRegistry } from './registry.ts';
import type { TestPackage, TestRegistry } from './registry.ts';

const plain: TestPackage = {
  json: {
    name: 'plain',
    version: '1.0.0',
    main: 'index.js',
    scripts: { postinstall: 'node evil.js' },
    hasInstallScript: true,
  },
  files: {
    'index.js': 'exports.greet = (name) => `hello ${name} from ${require("./part.js")}`;\n',
    'part.js': 'module.exports = "plain";\n',
    'evil.js': 'require("fs").writeFileSync(__dirname + "/evil.txt", "ran");\n',
  },
};
const reader: TestPackage = {
  json: { name: 'reader', version: '1.0.0', main: 'index.js' },
  files: {
    'index.js': 'module.exports = () => require("fs").readFileSync(__dirname + "/data.txt", "utf8");\n',
    'data.txt': 'data',
  },
};
// As napi-rs packs them: the addon in a package per platform, optional to the one that loads it.
const addon: TestPackage[] = [
  {
    json: { name: 'addon', version: '1.0.0', main: 'index.js', optionalDependencies: { 'addon-platform': '1.0.0' } },
    files: { 'index.js': 'module.exports = () => require.resolve("addon-platform");\n' },
  },
  {
    json: { name: 'addon-platform', version: '1.0.0', main: 'x.node' },
    files: { 'x.node': new Uint8Array([127, 69, 76, 70]) },
  },
];

const handler = 'import { greet } from "plain";\nexport default () => greet("you");\n';

async function makeAppWith(
  registry: TestRegistry,
  names: readonly string[],
  files: Record<string, string>,
): Promise<TestApp> {
  const dependencies = Object.fromEntries(names.map((name) => [name, '1.0.0']));
  return makeApp({
    'package.json': JSON.stringify({ name: 'app', dependencies }, null, 2),
    'package-lock.json': registry.lockfile(dependencies),
    ...files,
  });
}

test('dependencies are installed once per lockfile and bundled; their scripts do not run', async () => {
  await using registry = await startRegistry([plain]);
  await using app = await makeAppWith(registry, ['plain'], { 'functions/a.ts': handler });
  const progress: string[] = [];
  const first = await app.build({ onProgress: (line) => progress.push(line) });
  expect(progress).toEqual(['installing 1 package']);
  expect(load(first, 'a')['default']()).toBe('hello you from plain');
  expect(first.manifest.dependencies).toEqual({ lockHash: expect.stringMatching(/^[0-9a-f]{64}$/), external: [] });
  expect(existsSync(join(first.dir, 'node_modules'))).toBe(false);
  const [install = ''] = await readdir(join(app.cache, 'deps'));
  expect(await readdir(join(app.cache, 'deps', install, 'node_modules/plain'))).not.toContain('evil.txt');
  const asked = registry.requests.length;
  await app.write({ 'functions/a.ts': handler.replace('you', 'me') });
  expect(load(await app.build({ onProgress: (line) => progress.push(line) }), 'a')['default']()).toBe(
    'hello me from plain',
  );
  expect(registry.requests).toHaveLength(asked);
  expect(progress).toHaveLength(1);
});

test('builds at once share one installation', async () => {
  await using registry = await startRegistry([plain]);
  await using app = await makeAppWith(registry, ['plain'], { 'functions/a.ts': handler });
  const progress: string[] = [];
  const built = await Promise.all([1, 2, 3].map(() => app.build({ onProgress: (line) => progress.push(line) })));
  expect(new Set(built.map(({ release }) => release)).size).toBe(1);
  expect(progress).toHaveLength(1);
  expect(await readdir(join(app.cache, 'deps'))).toHaveLength(1);
});

test('release is the same for two apps with the same lockfile', async () => {
  await using registry = await startRegistry([plain]);
  await using one = await makeAppWith(registry, ['plain'], { 'functions/a.ts': handler });
  await using two = await makeAppWith(registry, ['plain'], { 'functions/a.ts': handler });
  expect((await one.build()).release).toBe((await two.build()).release);
});

test('native addon and what loads it are left out of the bundles and loaded from the release', async () => {
  await using registry = await startRegistry(addon);
  await using app = await makeAppWith(registry, ['addon'], {
    'functions/a.ts': 'import where from "addon";\nexport default () => where();\n',
    'functions/b.ts': 'export default () => 1;\n',
  });
  const built = await app.build();
  expect(built.manifest.dependencies.external).toEqual(['addon']);
  expect(load(built, 'a')['default']()).toMatch(/addon-platform\/x\.node$/);
  expect(await readlink(join(built.dir, 'node_modules'))).toMatch(/\/deps\/[0-9a-f]{32}\/node_modules$/);
});

test('package that reads files beside itself works when bundle.external names it', async () => {
  await using registry = await startRegistry([reader]);
  await using app = await makeAppWith(registry, ['reader'], {
    'functions/a.ts': 'import read from "reader";\nexport default () => read();\n',
  });
  const bundled = await app.build();
  expect(() => load(bundled, 'a')['default']() as unknown).toThrow(/ENOENT/);
  await app.write({ 'fnrun.json': '{ "bundle": { "external": ["reader"] } }' });
  const built = await app.build();
  expect(built).toMatchObject({ bundled: 1, changed: ['a'], manifest: { dependencies: { external: ['reader'] } } });
  expect(load(built, 'a')['default']()).toBe('data');
});

test('bundle.external that is not installed fails at its place', async () => {
  await using app = await makeApp({
    'functions/a.ts': 'export default () => 1;\n',
    'fnrun.json': '{\n  "bundle": { "external": ["nope"] }\n}',
  });
  expect(places(await app.fail())).toEqual(['fnrun.json:2:28 FN_BAD_SETTINGS']);
});

test('package bundled in two versions is warned about', async () => {
  const pack = (version: string) => ({
    'package.json': `{ "name": "x", "version": "${version}" }`,
    'index.js': `module.exports = "${version}";\n`,
  });
  const under = (folder: string, files: Record<string, string>) =>
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));
  await using app = await makeApp({
    'functions/a.ts': 'import x from "x"; import y from "y"; export default () => [x, y];\n',
    ...under('node_modules/x', pack('1.0.0')),
    ...under('node_modules/y/node_modules/x', pack('2.0.0')),
    'node_modules/y/package.json': '{ "name": "y", "version": "1.0.0" }',
    'node_modules/y/index.js': 'module.exports = require("x");\n',
  });
  const built = await app.build({ useLocalModules: true });
  expect(load(built, 'a')['default']()).toEqual(['1.0.0', '2.0.0']);
  expect(built.warnings).toMatchObject([
    {
      file: 'functions/a.ts',
      message: 'x is bundled 2 times: 1.0.0 (node_modules/x), 2.0.0 (node_modules/y/node_modules/x)',
    },
  ]);
});

test('archive in the app is installed without a registry', async () => {
  await using registry = await startRegistry([plain]);
  const archive = await registry.archive('plain');
  const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  const dependencies = { plain: 'file:vendor/plain.tgz' };
  const lock = {
    lockfileVersion: 3,
    packages: {
      '': { dependencies },
      'node_modules/plain': { version: '1.0.0', resolved: 'file:vendor/plain.tgz', integrity },
    },
  };
  await using app = await makeApp({
    'package.json': JSON.stringify({ dependencies }),
    'package-lock.json': JSON.stringify(lock),
    'vendor/plain.tgz': archive,
    'functions/a.ts': handler,
  });
  expect(load(await app.build(), 'a')['default']()).toBe('hello you from plain');
  expect(registry.requests).toEqual([]);
});

test('lockfile that is missing, foreign, damaged or out of step fails with the command to run', async () => {
  await using app = await makeApp({
    'functions/a.ts': handler,
    'package.json': '{\n  "dependencies": { "plain": "1.0.0" }\n}',
  });
  const fail = async (): Promise<string> => {
    const { problems } = await app.fail();
    expect(problems).toMatchObject([{ code: 'FN_LOCKFILE', hint: expect.stringContaining('npm install') }]);
    const [{ file, line, column, message } = problems[0]!] = problems;
    return `${file}:${line}:${column} ${message}`;
  };
  expect(await fail()).toBe('package.json:2:3 package.json has dependencies, but there is no package-lock.json');
  await app.write({ 'yarn.lock': '' });
  expect(await fail()).toBe('package.json:2:3 yarn.lock is a lockfile of yarn; releases are installed by npm');
  await app.write({ 'package-lock.json': '<<<<<<< ours' });
  expect(await fail()).toMatch(/^package-lock.json:1:1 package-lock.json is no JSON/);
  await app.write({
    'package-lock.json': '{ "lockfileVersion": 3, "packages": { "": { "dependencies": { "plain": "^0.9.0" } } } }',
  });
  expect(await fail()).toBe('package.json:2:30 package.json asks for plain@1.0.0, package-lock.json has plain@^0.9.0');
  expect(existsSync(join(app.cache, 'deps'))).toBe(false);
});

test('npm that fails is shown, and nothing is left behind', async () => {
  await using registry = await startRegistry([plain]);
  await using app = await makeAppWith(registry, ['plain'], { 'functions/a.ts': handler });
  await app.write({ 'package-lock.json': registry.lockfile({ plain: '1.0.0' }).replace('/plain.tgz', '/gone.tgz') });
  const { problems } = await app.fail();
  expect(problems).toMatchObject([
    { code: 'FN_NPM_FAILED', message: expect.stringMatching(/npm ci failed with exit code 1:[^]*404/) },
  ]);
  expect(await readdir(join(app.cache, 'deps'))).toEqual([]);
});

test('aborted installation ends npm and leaves nothing behind', async () => {
  await using registry = await startRegistry([plain]);
  await using app = await makeAppWith(registry, ['plain'], { 'functions/a.ts': handler });
  const abort = new AbortController();
  const reason = new Error('superseded');
  await expect(app.build({ signal: abort.signal, onProgress: () => abort.abort(reason) })).rejects.toBe(reason);
  expect(load(await app.build(), 'a')['default']()).toBe('hello you from plain');
  expect(await readdir(join(app.cache, 'deps'))).toHaveLength(1);
});

test('import of a development dependency says so; with local modules it works', async () => {
  await using app = await makeApp({
    'package.json': '{ "devDependencies": { "plain": "1.0.0" } }',
    'functions/a.ts': handler,
    'node_modules/plain/index.js': 'exports.greet = (name) => name;\n',
  });
  expect((await app.fail()).problems).toMatchObject([
    { code: 'FN_UNRESOLVED_IMPORT', hint: 'npm install --save-prod plain' },
  ]);
  expect(load(await app.build({ useLocalModules: true }), 'a')['default']()).toBe('you');
});

test('local modules that are absent are installed as on the server', async () => {
  await using registry = await startRegistry([plain]);
  await using app = await makeAppWith(registry, ['plain'], { 'functions/a.ts': handler });
  expect(load(await app.build({ useLocalModules: true }), 'a')['default']()).toBe('hello you from plain');
  expect(await readdir(app.source)).not.toContain('node_modules');
});

test('token of the npmrc of an app is not kept', async () => {
  await using registry = await startRegistry([plain]);
  await using app = await makeAppWith(registry, ['plain'], {
    'functions/a.ts': handler,
    '.npmrc': '//127.0.0.1/:_authToken=secret\n',
  });
  await app.build();
  const kept = await readdir(app.cache, { recursive: true });
  expect(kept.filter((path) => path.endsWith('.npmrc') && !path.includes('node_modules'))).toEqual([]);
});

test('npm is found beside Node, else in PATH, else nowhere', async () => {
  await using app = await makeApp({ 'bin/npm': '', 'other/npm': '' });
  const [bin, other] = ['bin', 'other'].map((name) => join(app.source, name));
  expect((await stat(join(bin!, 'npm'))).isFile()).toBe(true);
  expect(findNpm({ execPath: join(bin!, 'node'), path: other! })).toEqual({ file: join(bin!, 'npm'), args: [] });
  expect(findNpm({ execPath: '/nonexistent/bin/node', path: `/x:${other!}` })).toEqual({
    file: join(other!, 'npm'),
    args: [],
  });
  expect(findNpm({ execPath: '/nonexistent/bin/node', path: '/x' })).toBeNull();
});
