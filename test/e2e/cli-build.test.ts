import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

const app = {
  'functions/index.ts': 'export default () => new Response("hi");\n',
  'functions/items/[id]/index.ts':
    'export const GET = () => new Response("item");\nexport const config = { timeoutMs: 250 };\n',
};

test('build makes a release with the inspections of its functions and prints an account', async () => {
  await using dir = await makeTempDir();
  await writeTree(dir.path, app);
  const { code, stdout } = await runCli(['build', dir.path]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/GET +\/items\/:id +functions\/items\/\[id\]\/index\.ts/);
  const release = /^release +(.+)$/m.exec(stdout)?.[1] ?? '';
  expect(release.startsWith(join(dir.path, '.fnrun/build/'))).toBe(true);
  const manifest = JSON.parse(await readFile(join(release, 'manifest.json'), 'utf8'));
  const item = manifest.functions.find((fn: { name: string }) => fn.name === 'items/[id]');
  expect(item.inspection).toMatchObject({ shape: 'methods', methods: ['GET'], settings: { timeoutMs: 250 } });
});

test('build writes below --out and says the same again as JSON', async () => {
  await using dir = await makeTempDir();
  await writeTree(join(dir.path, 'app'), app);
  const { code, stdout } = await runCli(['build', 'app', '--out', 'releases', '--json'], { cwd: dir.path });
  expect(code).toBe(0);
  const said = JSON.parse(stdout);
  expect(said).toMatchObject({ ok: true, dir: join(dir.path, 'releases', said.release) });
  expect(said.manifest.functions.map((fn: { route: string }) => fn.route).sort()).toEqual(['/', '/items/:id']);
  expect(await readdir(join(dir.path, 'releases'))).toEqual([said.release]);
});

test('build fails with the place of the mistake', async () => {
  await using dir = await makeTempDir();
  await writeTree(dir.path, { ...app, 'functions/index.ts': 'export const nothing = 1;\n' });
  const { code, stdout, stderr } = await runCli(['build', dir.path]);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain('functions/index.ts');
});

test('build fails when a function does not load, naming file, line and message', async () => {
  await using dir = await makeTempDir();
  await writeTree(dir.path, { ...app, 'functions/index.ts': 'const x: any = undefined;\nexport default x.handler;\n' });
  const { code, stderr } = await runCli(['build', dir.path]);
  expect(code).toBe(1);
  expect(stderr).toContain('functions/index.ts:2:');
  expect(stderr).toContain('export default x.handler;');
});

test('build tells problems as JSON when asked to', async () => {
  await using dir = await makeTempDir();
  await writeTree(dir.path, { 'readme.md': 'no functions here' });
  const { code, stdout } = await runCli(['build', dir.path, '--json']);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, problems: [{ code: 'FN_NO_FUNCTIONS' }] });
  expect(existsSync(join(dir.path, '.fnrun/build'))).toBe(false);
});
