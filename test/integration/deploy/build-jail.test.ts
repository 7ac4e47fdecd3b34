import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { findJail } from '../../../deploy/build/jail.ts';
import { cleanEnv } from '../../../deploy/build/launch.ts';
import { buildView } from '../../../deploy/build/places.ts';
import { packageRoot } from '../../../runtime/entry-points.ts';
import { makePool, realJail } from '../../support/build-pool.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

/** Runs a script of Node in the jail of an app's builds; gives what it prints. */
async function runInJail(fixture: Awaited<ReturnType<typeof makePool>>, script: string): Promise<any> {
  const jail = await realJail();
  const [file = '', ...args] = jail.forBuild(buildView(fixture.placesOf('one')), [process.execPath, '-e', script]);
  const { stdout } = await promisify(execFile)(file, args, { env: cleanEnv(), cwd: '/' });
  return JSON.parse(stdout);
}

const attempts = (paths: readonly string[], call: string): string =>
  `console.log(JSON.stringify(${JSON.stringify(paths)}.map((path) => { try { ${call}; return 'done'; } catch (e) { return e.code; } })))`;

test('process in the jail finds no file but its own app, and what programs need', async () => {
  await using fixture = await makePool();
  await fixture.write('one', { 'functions/a.ts': 'export default () => 1;\n' });
  await writeTree(fixture.home, {
    'state.db': 'secret',
    'secret.key': 'secret',
    'config.json': '{}',
    'run/control.sock': '',
    'logs/one.ndjson': '',
    'apps/one/repo.git/config': 'secret',
    'apps/one/notes.txt': 'secret',
    'apps/two/releases/r/manifest.json': '{}',
    'apps/two/build/t/secret.ts': '',
  });
  const { sourcesDir, releasesDir } = fixture.placesOf('one');
  await symlink('/etc/shadow', join(sourcesDir, 'tree/shadow.txt'));
  await symlink(join(fixture.home, 'state.db'), join(sourcesDir, 'tree/state.txt'));
  const inHome = ['state.db', 'secret.key', 'config.json', 'run/control.sock', 'logs/one.ndjson', 'apps/two'];
  const outside = [
    ...inHome.map((name) => join(fixture.home, name)),
    join(fixture.home, 'apps/two/releases/r/manifest.json'),
    join(sourcesDir, 'tree/shadow.txt'),
    join(sourcesDir, 'tree/state.txt'),
    '/etc/shadow',
    '/root',
    '/home',
    '/var',
    '/run',
    '/sys',
    join(packageRoot(), 'README.md'),
  ];
  const read = attempts(outside, 'fs.statSync(path)');
  expect(await runInJail(fixture, read)).toEqual(outside.map(() => 'ENOENT'));
  // What else lies in the app's folder is covered.
  const covered = [join(fixture.home, 'apps/one/repo.git/config'), join(fixture.home, 'apps/one/notes.txt')];
  expect(
    await runInJail(fixture, attempts(covered, 'if (fs.readFileSync(path, "utf8") === "") throw { code: "EMPTY" }')),
  ).toEqual(['ENOENT', expect.stringMatching(/EMPTY|EACCES/)]);
  const inside = [join(sourcesDir, 'tree/functions/a.ts'), releasesDir];
  expect(await runInJail(fixture, attempts(inside, 'fs.statSync(path)'))).toEqual(['done', 'done']);
});

test('process in the jail writes to the releases and the cache of its app only', async () => {
  await using fixture = await makePool();
  await fixture.write('one', { 'functions/a.ts': 'export default () => 1;\n' });
  await writeTree(fixture.home, { 'apps/one/repo.git/config': 'kept' });
  const { sourcesDir, releasesDir, cacheDir } = fixture.placesOf('one');
  const folders = [sourcesDir, join(sourcesDir, 'tree/functions'), join(fixture.home, 'apps/one/repo.git')];
  const locked = [...folders, '/', '/usr', join(packageRoot(), 'dist')].map((dir) => join(dir, 'x'));
  const write = 'fs.writeFileSync(path, "x")';
  const refused = await runInJail(fixture, attempts(locked, write));
  expect(refused).toEqual(locked.map(() => expect.stringMatching(/EROFS|EACCES/)));
  const open = [releasesDir, cacheDir, '/tmp'].map((dir) => join(dir, 'x'));
  expect(await runInJail(fixture, attempts(open, write))).toEqual(['done', 'done', 'done']);
  // A release links to what the cache holds.
  const link = `try { fs.linkSync(${JSON.stringify(join(cacheDir, 'x'))}, ${JSON.stringify(join(releasesDir, 'y'))}); console.log('"done"') } catch (e) { console.log(JSON.stringify(e.code)) }`;
  expect(await runInJail(fixture, link)).toBe('done');
});

test('process in the jail has no network, no other processes, no environment and no privileges', async () => {
  await using fixture = await makePool();
  await fixture.write('one', {});
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  process.env['FNRUN_TEST_SECRET'] = 'secret';
  const script = `
    const net = require('node:net');
    const status = fs.readFileSync('/proc/self/status', 'utf8');
    const field = (name) => new RegExp('^' + name + ':\\\\s+(\\\\S+)', 'm').exec(status)[1];
    const socket = net.connect(${port}, '127.0.0.1');
    const tell = (network) => console.log(JSON.stringify({
      network, uid: process.getuid(), capabilities: field('CapEff'), newPrivileges: field('NoNewPrivs'),
      processes: fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).length,
      env: Object.keys(process.env).filter((name) => !['PATH','HOME','TMPDIR','TZ','LANG','PWD'].includes(name)),
      interfaces: Object.keys(os.networkInterfaces()),
    }));
    socket.on('error', (error) => tell(error.code));
    socket.on('connect', () => tell('connected'));`;
  const seen = await runInJail(fixture, script);
  delete process.env['FNRUN_TEST_SECRET'];
  server.close();
  expect(seen).toMatchObject({
    network: 'ECONNREFUSED',
    newPrivileges: '1',
    env: [],
    capabilities: '0000000000000000',
  });
  // bwrap's own, and Node.
  expect(seen.processes).toBeLessThanOrEqual(3);
  expect(seen.interfaces.filter((name: string) => name !== 'lo')).toEqual([]);
});

test('esbuild without the check of imports finds nothing outside in the jail', async () => {
  await using fixture = await makePool();
  await writeTree(fixture.home, { 'apps/two/releases/r/secret.txt': 'THE-SECRET' });
  const secret = join(fixture.home, 'apps/two/releases/r/secret.txt');
  const entry = `import a from '${secret}' with { type: 'text' }; import b from '/etc/shadow' with { type: 'text' }; console.log(a, b);`;
  await fixture.write('one', { 'functions/a.ts': entry });
  const script = `
    const { build } = require(${JSON.stringify(join(packageRoot(), 'node_modules/esbuild/lib/main.js'))});
    build({ entryPoints: [${JSON.stringify(join(fixture.placesOf('one').sourcesDir, 'tree/functions/a.ts'))}], bundle: true, write: false, logLevel: 'silent' })
      .then(() => ['built'], (error) => error.errors.map(({ text }) => text)).then((out) => console.log(JSON.stringify(out)));`;
  expect(await runInJail(fixture, script)).toEqual([
    `Could not resolve "${secret}"`,
    'Could not resolve "/etc/shadow"',
  ]);
});

test('jail that is missing or not wanted says so, and builds go on without', async () => {
  await using empty = await makeTempDir();
  const unwanted = await findJail({ wanted: false });
  expect(unwanted).toMatchObject({ closed: false });
  expect(unwanted.note).toMatch(/without a jail.*"jail": false.*docs\/building\.md/);
  // A bwrap that fails is as good as none.
  await writeTree(empty.path, {
    bwrap: '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n',
  });
  await promisify(execFile)('chmod', ['+x', join(empty.path, 'bwrap')]);
  const broken = await findJail({ wanted: true, path: empty.path });
  expect(broken).toMatchObject({ closed: false });
  expect(broken.note).toContain('does not work here: bwrap: No permissions to create new namespace');

  await using fixture = await makePool({ jail: unwanted });
  await fixture.write('one', { 'functions/a.ts': 'export default () => 1;\n' });
  const built = await fixture.build('one');
  expect(built.manifest.functions).toHaveLength(1);
  expect((await fixture.build('one')).reused).toBe(true);
});

test('27: import of what a jail does not show says that it leaves the app, with the path', async () => {
  await using fixture = await makePool();
  const outside = join(fixture.home, 'outside');
  await writeTree(outside, { 'x.ts': 'export default "THE-SECRET";\n', 'tsconfig.json': '{ "THE-SECRET" ' });
  const linked = async (): Promise<Record<string, string>> => {
    await fixture.write('one', { 'lib/.keep': '' });
    await symlink(join(outside, 'x.ts'), join(fixture.placesOf('one').sourcesDir, 'tree/lib/linked.ts'));
    return { 'functions/a.ts': 'import x from "../lib/linked.ts"; export default () => x;\n' };
  };
  const ways: (() => Promise<Record<string, string>> | Record<string, string>)[] = [
    () => ({ 'functions/a.ts': `import x from "${outside}/x.ts"; export default () => x;\n` }),
    () => ({ 'functions/a.ts': 'import x from "../../../../../../outside/x.ts"; export default () => x;\n' }),
    () => ({ 'functions/a.ts': `import x from "${outside}/x.ts" with { type: "text" }; export default () => x;\n` }),
    () => ({
      'functions/a.ts': 'export default () => 1;\n',
      'tsconfig.json': `{ "extends": "${outside}/tsconfig.json" }`,
    }),
    linked,
  ];
  for (const way of ways) {
    await fixture.write('one', { 'tsconfig.json': '{}', ...(await way()) });
    const failed = await fixture.run('one');
    expect(failed).toMatchObject({ ok: false, problems: [{ code: 'FN_IMPORT_OUTSIDE' }] });
    expect(JSON.stringify(failed)).not.toContain('THE-SECRET');
  }
  // Where `paths` lead is esbuild's to know: there is no such file, and that is all that it tells.
  await fixture.write('one', {
    'functions/a.ts': 'import x from "out/x.ts"; export default () => x;\n',
    'tsconfig.json': `{ "compilerOptions": { "paths": { "out/*": ["${outside}/*"] } } }`,
  });
  const failed = await fixture.run('one');
  expect(failed).toMatchObject({ problems: [{ code: 'FN_UNRESOLVED_IMPORT', file: 'functions/a.ts', line: 1 }] });
  expect(JSON.stringify(failed)).toContain('out/x.ts');
});
