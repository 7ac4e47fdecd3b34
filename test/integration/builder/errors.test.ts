import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatProblems } from '../../../builder/format-problems.ts';
import { buildLimits } from '../../../runtime/contract/limits.ts';
import { makeApp, places } from './app.ts';

const hello = 'export default () => new Response("hello");\n';

test('app without functions/ fails, with a folder that may be meant', async () => {
  await using app = await makeApp({ 'function/a.ts': hello });
  expect((await app.fail()).problems).toMatchObject([
    { code: 'FN_NO_FUNCTIONS', hint: 'rename function/ to functions/' },
  ]);
});

test('app without functions/ fails, with the folder below that holds one', async () => {
  await using app = await makeApp({ 'package.json': '{}', 'shop/functions/index.ts': hello });
  expect((await app.fail()).problems).toMatchObject([
    { code: 'FN_NO_FUNCTIONS', hint: expect.stringContaining('the app is the folder shop/') },
  ]);
});

test('folder that is not there fails', async () => {
  await using app = await makeApp({});
  expect((await app.fail({ sourceDir: join(app.dir, 'gone') })).problems).toMatchObject([
    { code: 'FN_NO_FUNCTIONS', message: expect.stringContaining('/gone') },
  ]);
});

test('functions/ without an entry fails, with a file that may be meant', async () => {
  await using app = await makeApp({ 'functions/users/handler.ts': hello });
  const hint = expect.stringContaining('rename functions/users/handler.ts to functions/users/index.ts');
  expect((await app.fail()).problems).toMatchObject([{ code: 'FN_NO_FUNCTIONS', hint }]);
});

test('two functions with one route fail, both named', async () => {
  await using app = await makeApp({
    'functions/a.ts': hello,
    'functions/a/index.ts': hello,
    'functions/users/[id]/index.ts': hello,
    'functions/users/[name]/index.js': hello,
    'functions/b/index.ts': hello,
    'functions/b/index.js': hello,
  });
  expect((await app.fail()).problems.map(({ code, message }) => `${code} ${message}`)).toEqual([
    'FN_ROUTE_CONFLICT functions/a.ts and functions/a/index.ts both answer /a',
    'FN_ROUTE_CONFLICT functions/b/index.js and functions/b/index.ts both answer /b',
    'FN_ROUTE_CONFLICT functions/users/[id]/index.ts and functions/users/[name]/index.js both answer /users/:id and /users/:name, which match the same paths',
  ]);
});

test('bad segment and a folder named index directly under functions/ fail', async () => {
  await using app = await makeApp({ 'functions/[id/index.ts': hello, 'functions/index/index.ts': hello });
  expect(places(await app.fail())).toEqual([
    'functions/[id/index.ts:null:null FN_BAD_ROUTE',
    'functions/index/index.ts:null:null FN_BAD_ROUTE',
  ]);
});

test('function without a handler fails at its first export, with what it may mean', async () => {
  await using app = await makeApp({
    'functions/a.ts': 'const x = 1;\nexport const get = () => x;\n',
    'functions/b.ts': 'console.log(1);\n',
    'functions/c.ts': 'export const main = async () => ({ statusCode: 200 });\n',
    'functions/d.ts':
      'export const hello = async () => ({ statusCode: 200 });\nexport const config = { handler: "hello" };\n',
    'fnrun.json': '{ "functions": { "c": { "handler": "mian" } } }',
  });
  const failure = await app.fail();
  expect(places(failure)).toEqual([
    'functions/a.ts:2:1 FN_NO_HANDLER',
    'functions/b.ts:1:1 FN_NO_HANDLER',
    'functions/c.ts:1:1 FN_NO_HANDLER',
  ]);
  expect(failure.problems.map(({ hint }) => hint)).toEqual([
    'did you mean to export GET? Names count exactly',
    expect.stringContaining('export a default function'),
    'did you mean "main"?',
  ]);
});

test('syntax error is told with its line', async () => {
  await using app = await makeApp({ 'functions/a.ts': 'export default () => {\n  return 1 +;\n};\n' });
  const failure = await app.fail();
  expect(places(failure)).toEqual(['functions/a.ts:2:13 FN_SYNTAX']);
  expect(formatProblems(failure.problems)).toContain('  2 |   return 1 +;\n    |             ^');
});

const unresolved: [string, string, RegExp | null, RegExp | null][] = [
  ['hono', 'hono', /no package.json/, /^npm install hono$/],
  ['@scope/x/y.js', 'scoped', /no package.json/, /^npm install @scope\/x$/],
  ['fs/promise', 'builtin', null, /node:fs\/promises/],
  ['../lib/databse.ts', 'near file', /there is no lib\/databse.ts/, /did you mean "..\/lib\/database.ts"/],
  ['../lib/Database.ts', 'case', /case counts/, /did you mean "..\/lib\/database.ts"/],
  ['../lib/database.js.ts', 'odd', /there is no/, /database.ts/],
  ['../libs/database.ts', 'folder', /there is no folder libs/, /folder lib\?/],
  ['@/x', 'alias', null, /tsconfig.json a path for "@\/\*"/],
  ['#x', 'imports', null, /package.json#imports/],
  ['https://example.org/x.js', 'network', /not fetched from the network/, /npm package/],
  ['bun:sqlite', 'platform', /another platform/, null],
  ['node:nope', 'unknown builtin', /no such module/, null],
];

test.each(unresolved)('import of %s (%s) fails with the likely fix', async (specifier, _, why, hint) => {
  await using app = await makeApp({
    'lib/database.ts': 'export default 1;\n',
    'functions/a.ts': `import x from ${JSON.stringify(specifier)};\nexport default () => x;\n`,
  });
  const { problems } = await app.fail();
  expect(problems).toMatchObject([{ code: 'FN_UNRESOLVED_IMPORT', file: 'functions/a.ts' }]);
  expect(problems[0]?.message).toMatch(why ?? /./);
  expect(problems[0]?.hint ?? '').toMatch(hint ?? /^/);
});

test('import of a name that a file does not export fails with a near one', async () => {
  await using app = await makeApp({
    'lib/x.ts': 'export const connect = 1;\n',
    'functions/a.ts': 'import { conect } from "../lib/x.ts";\nexport default () => conect;\n',
  });
  const failure = await app.fail();
  expect(places(failure)).toEqual(['functions/a.ts:1:10 FN_UNRESOLVED_IMPORT']);
  expect(failure.problems[0]?.hint).toMatch(/connect/);
});

test('native addon among the sources is refused, with what to do', async () => {
  await using app = await makeApp({
    'lib/x.node': new Uint8Array([1]),
    'functions/a.cjs': 'exports.handler = require("../lib/x.node");\n',
  });
  expect((await app.fail()).problems).toMatchObject([
    { code: 'FN_UNRESOLVED_IMPORT', hint: expect.stringContaining('bundle.external') },
  ]);
});

test('several problems of several kinds are told at once, in the order of their places', async () => {
  await using app = await makeApp({
    'functions/a.ts': 'import hono from "hono";\nexport default () => hono;\n',
    'functions/b.ts': 'export default () => 1 +;\n',
    'functions/c.ts': hello,
    'functions/c/index.ts': hello,
    'fnrun.json': '{ "functions": { "d": {} } }',
  });
  const failure = await app.fail();
  expect(places(failure)).toEqual([
    'fnrun.json:1:18 FN_BAD_SETTINGS',
    'functions/a.ts:1:18 FN_UNRESOLVED_IMPORT',
    'functions/b.ts:1:25 FN_SYNTAX',
    'functions/c/index.ts:null:null FN_ROUTE_CONFLICT',
  ]);
});

test('failing build leaves the last release alone, and the next one goes well', async () => {
  await using app = await makeApp({ 'functions/a.ts': hello });
  const first = await app.build();
  await app.write({ 'functions/a.ts': 'export default (' });
  await app.fail();
  await app.write({ 'functions/a.ts': hello });
  expect(await app.build()).toMatchObject({ release: first.release, reused: true, bundled: 0 });
});

test('public file that hides a function is warned about; dot files are not published', async () => {
  await using app = await makeApp({
    'functions/index.ts': hello,
    'functions/about.ts': hello,
    'functions/api/index.ts': hello,
    'public/index.html': 'x',
    'public/about.html': 'x',
    'public/api/index.html': 'x',
    'public/other.html': 'x',
    'public/.env': 'SECRET=1',
    'public/.well-known/x': 'x',
  });
  const built = await app.build();
  expect(built.warnings.map(({ message }) => message)).toEqual([
    'public/.env is not published: its name begins with a dot',
    'public/about.html hides functions/about.ts: files are looked for before functions, and both answer /about',
    'public/api/index.html hides functions/api/index.ts: files are looked for before functions, and both answer /api',
    'public/index.html hides functions/index.ts: files are looked for before functions, and both answer /',
  ]);
  expect(built.manifest.public).toEqual(['.well-known/x', 'about.html', 'api/index.html', 'index.html', 'other.html']);
});

test('file beyond the limit and a link out of the app under public/ fail', async () => {
  await using app = await makeApp({
    'functions/a.ts': hello,
    'public/big.bin': new Uint8Array(buildLimits.sourceFileBytes + 1),
  });
  await app.write({ '../outside.txt': 'secret' });
  await symlink(join(app.dir, 'outside.txt'), join(app.source, 'public/link.txt'));
  expect(places(await app.fail())).toEqual([
    'public/big.bin:null:null FN_SOURCE_LIMIT',
    'public/link.txt:null:null FN_SOURCE_ENTRY',
  ]);
});

test('path that is too long fails', async () => {
  await using app = await makeApp({ 'functions/a.ts': hello });
  const deep = join('functions', ...Array<string>(6).fill('x'.repeat(200)));
  await mkdir(join(app.source, deep), { recursive: true });
  expect((await app.fail()).problems).toMatchObject([
    { code: 'FN_SOURCE_LIMIT', message: expect.stringContaining('longer than') },
  ]);
});
