import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findJail } from '../../../deploy/build/jail.ts';
import { makePool, processesWith } from '../../support/build-pool.ts';
import type { PoolFixture } from '../../support/build-pool.ts';
import { eventually } from '../../support/deadline.ts';
import { writeTree } from '../../support/temp-dir.ts';
import { startRegistry } from '../builder/registry.ts';
import type { TestPackage, TestRegistry } from '../builder/registry.ts';

/** What the malicious package tries, for a registry and a home that are there. */
interface Target {
  home: string;
  port: string;
}

/** A package whose postinstall script runs `script`, and which holds what that leaves behind. */
function packageWith(name: string, script: string): TestPackage {
  return {
    json: {
      name,
      version: '1.0.0',
      main: 'index.js',
      scripts: { postinstall: 'node evil.js' },
      hasInstallScript: true,
    },
    files: {
      'index.js': `exports.greet = () => ${JSON.stringify(name)};\n`,
      'evil.js': script,
    },
  };
}

/** Reads what it can, connects, leaves a process behind, and writes down how that went. */
const malicious = (marker: string): string => `
const { readFileSync, writeFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const { join } = require('node:path');
const { home, port } = JSON.parse(readFileSync(join(__dirname, 'target.json'), 'utf8'));
const attempt = (call) => { try { return String(call()); } catch (error) { return error.code; } };
const seen = {
  shadow: attempt(() => readFileSync('/etc/shadow')),
  state: attempt(() => readFileSync(join(home, 'state.db'))),
  other: attempt(() => readFileSync(join(home, 'apps/two/releases/r/manifest.json'))),
  release: attempt(() => readFileSync(join(home, 'apps/one/releases/r/manifest.json'))),
  npmrc: attempt(() => readFileSync('/etc/fnrun-npmrc')),
  secrets: Object.keys(process.env).filter((name) => /SECRET|TOKEN/.test(name)),
};
require('node:fs').symlinkSync('/etc/shadow', join(__dirname, 'link.txt'));
spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', ${JSON.stringify(marker)}], { detached: true, stdio: 'ignore' }).unref();
const tell = (network) => { writeFileSync(join(__dirname, 'seen.json'), JSON.stringify({ ...seen, network })); process.exit(0); };
require('node:net').connect(Number(port), '127.0.0.1').on('connect', () => tell('connected')).on('error', (error) => tell(error.code));
`;

async function writeApp(
  fixture: PoolFixture,
  { registry, names, config = {} }: { registry: TestRegistry; names: string[]; config?: unknown },
): Promise<void> {
  const dependencies = Object.fromEntries(names.map((name) => [name, '1.0.0']));
  await fixture.write('one', {
    'package.json': JSON.stringify({ name: 'app', dependencies }),
    'package-lock.json': registry.lockfile(dependencies),
    'fnrun.json': JSON.stringify(config),
    'functions/a.ts': `import { greet } from "${names[0]}";\nexport default () => greet();\n`,
  });
}

/** The files of an installed package. */
async function installed(fixture: PoolFixture, name: string): Promise<{ dir: string; files: string[] }> {
  const deps = join(fixture.placesOf('one').cacheDir, 'deps');
  const [install = ''] = (await readdir(deps)).filter((each) => !each.startsWith('.'));
  const dir = join(deps, install, 'node_modules', name);
  return { dir, files: await readdir(dir) };
}

/** A registry with a malicious package, which knows what to look for. */
async function startEvil(fixture: PoolFixture, marker: string): Promise<TestRegistry> {
  await writeTree(fixture.home, {
    'state.db': 'secret',
    'apps/two/releases/r/manifest.json': 'secret',
    'apps/one/releases/r/manifest.json': 'secret',
  });
  const listener = await startRegistry([]);
  const target: Target = { home: fixture.home, port: new URL(listener.url).port };
  const evil = packageWith('evil', malicious(marker));
  const registry = await startRegistry([
    { ...evil, files: { ...evil.files, 'target.json': JSON.stringify(target) } },
    packageWith('other', 'require("node:fs").writeFileSync(__dirname + "/ran.txt", "ran");\n'),
  ]);
  return {
    ...registry,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
}

test('28: postinstall of a malicious package does not run', async () => {
  await using fixture = await makePool();
  await using registry = await startEvil(fixture, 'fnrun-evil-default');
  await writeApp(fixture, { registry, names: ['evil'] });
  const built = await fixture.build('one');
  expect(built.manifest.functions).toHaveLength(1);
  expect((await installed(fixture, 'evil')).files).not.toContain('seen.json');
  expect(await processesWith('fnrun-evil-default')).toEqual([]);
});

test('28: postinstall that fnrun.json allows reads nothing outside, has no network and leaves no process', async () => {
  process.env['NPM_TOKEN'] = 'secret';
  await using fixture = await makePool();
  await using registry = await startEvil(fixture, 'fnrun-evil-allowed');
  await writeApp(fixture, {
    registry,
    names: ['evil', 'other'],
    config: { dependencies: { installScripts: ['evil'] } },
  });
  await fixture.build('one');
  delete process.env['NPM_TOKEN'];
  const { dir, files } = await installed(fixture, 'evil');
  // The link that it made would lead out of the app for whoever imports it.
  expect(files).not.toContain('link.txt');
  expect(JSON.parse(await readFile(join(dir, 'seen.json'), 'utf8'))).toEqual({
    shadow: 'ENOENT',
    state: 'ENOENT',
    other: 'ENOENT',
    release: 'ENOENT',
    npmrc: 'ENOENT',
    secrets: [],
    network: 'ECONNREFUSED',
  });
  await eventually(async () => (await processesWith('fnrun-evil-allowed')).length === 0);
  // The one that was not named did not run; with `true` all do, and that is another installation.
  expect((await installed(fixture, 'other')).files).not.toContain('ran.txt');
});

test('install scripts of all packages run when fnrun.json says true', async () => {
  await using fixture = await makePool();
  await using registry = await startRegistry([
    packageWith('one', 'require("node:fs").writeFileSync(__dirname + "/ran.txt", "ran");\n'),
    packageWith('two', 'require("node:fs").writeFileSync(__dirname + "/ran.txt", "ran");\n'),
  ]);
  await writeApp(fixture, { registry, names: ['one', 'two'], config: { dependencies: { installScripts: true } } });
  await fixture.build('one');
  for (const name of ['one', 'two']) expect((await installed(fixture, name)).files).toContain('ran.txt');
});

test('install script that fails is shown, with its own words', async () => {
  await using fixture = await makePool();
  await using registry = await startRegistry([
    packageWith('bad', 'console.error("no compiler here"); process.exit(3);\n'),
  ]);
  await writeApp(fixture, { registry, names: ['bad'], config: { dependencies: { installScripts: ['bad'] } } });
  expect(await fixture.run('one')).toMatchObject({
    ok: false,
    problems: [
      {
        code: 'FN_NPM_FAILED',
        message: expect.stringMatching(/^npm rebuild failed[^]*no compiler here/),
        hint: expect.stringContaining('install script'),
      },
    ],
  });
  // Nothing is left of what did not come to be.
  expect(await readdir(join(fixture.placesOf('one').cacheDir, 'deps'))).toEqual([]);
});

test('install script that takes too much is ended with all that it started', async () => {
  await using fixture = await makePool({ policy: { processes: 24 } });
  const bomb = `
    const { spawn } = require('node:child_process');
    for (let n = 0; n < 40; n++) spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'fnrun-evil-bomb'], { detached: true, stdio: 'ignore' });
    setInterval(() => {}, 1000);`;
  await using registry = await startRegistry([packageWith('bomb', bomb)]);
  await writeApp(fixture, { registry, names: ['bomb'], config: { dependencies: { installScripts: true } } });
  expect(await fixture.run('one')).toMatchObject({
    ok: false,
    problems: [{ code: 'FN_BUILD_LIMIT', message: expect.stringContaining('more than 24 processes') }],
  });
  await eventually(async () => (await processesWith('fnrun-evil-bomb')).length === 0);
});

test('npm that fails is shown, from within its jail', async () => {
  await using fixture = await makePool();
  await using registry = await startRegistry([packageWith('plain', '')]);
  await writeApp(fixture, { registry, names: ['plain'] });
  const lock = registry.lockfile({ plain: '1.0.0' }).replace('/plain.tgz', '/gone.tgz');
  await fixture.write('one', { 'package-lock.json': lock });
  const failed = await fixture.run('one');
  expect(failed).toMatchObject({
    ok: false,
    problems: [{ code: 'FN_NPM_FAILED', message: expect.stringMatching(/npm ci failed[^]*404/) }],
  });
});

test('without a jail packages are installed, and install scripts refused', async () => {
  await using fixture = await makePool({ jail: await findJail({ wanted: false }) });
  await using registry = await startEvil(fixture, 'fnrun-evil-free');
  await writeApp(fixture, { registry, names: ['evil'] });
  await fixture.build('one');
  expect((await installed(fixture, 'evil')).files).not.toContain('seen.json');
  await fixture.write('one', { 'fnrun.json': '{ "dependencies": { "installScripts": ["evil"] } }' });
  expect(await fixture.run('one')).toMatchObject({
    ok: false,
    problems: [
      {
        code: 'FN_BAD_SETTINGS',
        file: 'fnrun.json',
        message: expect.stringContaining('no jail'),
        hint: expect.stringContaining('bubblewrap'),
      },
    ],
  });
  expect(await processesWith('fnrun-evil-free')).toEqual([]);
});
