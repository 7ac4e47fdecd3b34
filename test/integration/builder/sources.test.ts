import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TraceMap, originalPositionFor } from '@jridgewell/trace-mapping';
import { expect, test } from 'vitest';
import { load, makeApp } from './app.ts';

test('JSON, text, bytes and wasm are imported', async () => {
  await using app = await makeApp({
    'lib/data.json': '{ "n": 7 }',
    'lib/query.sql': 'select 1',
    'lib/page.html': '<p>',
    'lib/icon.png': new Uint8Array([1, 2, 3]),
    'lib/notes.xyz': 'odd',
    'lib/empty.wasm': new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]),
    'functions/deep/er/index.ts': `
      import data from '../../../lib/data.json' with { type: 'json' };
      import query from '../../../lib/query.sql';
      import page from '../../../lib/page.html';
      import icon from '../../../lib/icon.png';
      import notes from '../../../lib/notes.xyz' with { type: 'text' };
      import wasm from '../../../lib/empty.wasm';
      import bytes from '../../../lib/empty.wasm' with { type: 'bytes' };
      export default () => ({ n: data.n, query, page, icon, notes, wasm, bytes });`,
  });
  const built = await app.build();
  expect(load(built, 'deep/er')['default']()).toEqual({
    n: 7,
    query: 'select 1',
    page: '<p>',
    icon: new Uint8Array([1, 2, 3]),
    notes: 'odd',
    wasm: expect.toSatisfy((module) => String(module) === '[object WebAssembly.Module]'),
    bytes: new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]),
  });
});

test('bundled CommonJS has require, __dirname and __filename; the user may declare the same names', async () => {
  await using app = await makeApp({
    'lib/old.cjs':
      'const os = require("os"); module.exports = { eol: os.EOL, dir: __dirname, late: () => require("node:" + "path").sep };',
    'functions/a.ts': `
      import { createRequire } from 'node:module';
      import { dirname } from 'node:path';
      import { fileURLToPath } from 'node:url';
      import old from '../lib/old.cjs';
      const require = createRequire(import.meta.url);
      const __filename = fileURLToPath(import.meta.url);
      const __dirname = dirname(__filename);
      export default () => ({ ...old, late: old.late(), own: __dirname, os: require('node:os').EOL });`,
  });
  const built = await app.build();
  const dir = join(built.dir, 'functions');
  expect(load(built, 'a')['default']()).toEqual({ eol: '\n', dir, late: '/', own: dir, os: '\n' });
});

test('module without require is left without one', async () => {
  await using app = await makeApp({ 'functions/a.ts': 'export default () => typeof globalThis;\n' });
  const built = await app.build();
  expect(await readFile(join(built.dir, 'functions/a.mjs'), 'utf8')).not.toContain('createRequire');
});

test('JSX is compiled, also when tsconfig.json says "preserve"', async () => {
  await using app = await makeApp({
    'tsconfig.json': '{ "compilerOptions": { "jsx": "preserve", "jsxImportSource": "#h" } } // comments, and commas,',
    'package.json': '{ "imports": { "#h/jsx-runtime": "./lib/h.ts" } }',
    'lib/h.ts':
      'export const jsx = (tag: string, props: { children: string }) => `<${tag}>${props.children}</${tag}>`;',
    'functions/a.tsx': 'export default () => <b>hi</b>;',
  });
  expect(load(await app.build(), 'a')['default']()).toBe('<b>hi</b>');
});

test('paths of tsconfig.json and imports of package.json resolve', async () => {
  await using app = await makeApp({
    'tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./lib/*"] } } }',
    'package.json': '{ "name": "self", "imports": { "#x": "./lib/x.ts" }, "exports": { "./x": "./lib/x.ts" } }',
    'lib/x.ts': 'export const x = 1;',
    'functions/a.ts':
      'import { x } from "@/x"; import { x as y } from "#x"; import { x as z } from "self/x"; export default () => [x, y, z];',
  });
  expect(load(await app.build(), 'a')['default']()).toEqual([1, 1, 1]);
});

test('tsconfig.json of a folder above the app has no say', async () => {
  await using app = await makeApp({ 'functions/a.tsx': 'const h = () => 1;\nexport default () => typeof h;\n' });
  const before = await app.build();
  await app.write({
    '../tsconfig.json':
      '{ "compilerOptions": { "target": "es5", "useDefineForClassFields": false }, "extends": "./none.json" }',
  });
  await app.write({ 'functions/b.ts': 'class A { x = 1 }\nexport default () => new A();\n', 'node_modules/.keep': '' });
  const local = await app.build({ useLocalModules: true });
  expect(local.warnings).toEqual([]);
  expect(await readFile(join(local.dir, 'functions/b.mjs'), 'utf8')).toContain('x = 1');
  expect((await app.build()).manifest.functions[0]).toEqual(before.manifest.functions[0]);
});

test('emitDecoratorMetadata is warned about at its place', async () => {
  await using app = await makeApp({
    'tsconfig.json': '{\n  "compilerOptions": {\n    "emitDecoratorMetadata": true\n  }\n}\n',
    'functions/a.ts': 'export default () => 1;\n',
  });
  const { warnings } = await app.build();
  expect(warnings).toMatchObject([
    {
      code: null,
      file: 'tsconfig.json',
      line: 3,
      column: 5,
      message: expect.stringContaining('emitDecoratorMetadata'),
    },
  ]);
});

test('source map leads to the line in the sources, named from the root of the app', async () => {
  await using app = await makeApp({
    'lib/fail.ts':
      'export interface Unused {\n  x: number;\n}\n\nexport function fail(): never {\n  throw new Error("here");\n}\n',
    'functions/users/[id]/index.ts': 'import { fail } from "../../../lib/fail.ts";\nexport default () => fail();\n',
    'functions/b.ts': 'import { fail } from "../lib/fail.ts";\nexport default () => fail();\n',
  });
  const built = await app.build();
  const handler = load(built, 'users/[id]')['default'] as () => void;
  const places: unknown[] = [];
  try {
    handler();
  } catch (error) {
    for (const [, path, line, column] of String((error as Error).stack).matchAll(/(\/[^()\s]+\.mjs):(\d+):(\d+)/g)) {
      const map = new TraceMap(await readFile(`${decodeURI(path!)}.map`, 'utf8'));
      const { source, line: at } = originalPositionFor(map, { line: Number(line), column: Number(column) - 1 });
      places.push(`${source}:${at}`);
    }
  }
  expect(places.slice(0, 2)).toEqual(['lib/fail.ts:6', 'functions/users/[id]/index.ts:2']);
});

test('functions that share a file share a chunk; others share nothing', async () => {
  await using app = await makeApp({
    'lib/x.ts': 'export const state = { marker: "shared-marker" };\n',
    'functions/a.ts': 'import { state } from "../lib/x.ts"; export default () => state;\n',
    'functions/b.ts': 'import { state } from "../lib/x.ts"; export default () => state;\n',
    'functions/c.ts': 'export default () => 1;\n',
  });
  const built = await app.build();
  expect(await readFile(join(built.dir, 'functions/a.mjs'), 'utf8')).not.toContain('shared-marker');
  expect(load(built, 'a')['default']()).toBe(load(built, 'b')['default']());
  expect(await readFile(join(built.dir, 'functions/c.mjs'), 'utf8')).not.toContain('import');
});

test('dynamic import of a file of the app works, and belongs to the function', async () => {
  await using app = await makeApp({
    'lib/late.ts': 'export const late = 1;\n',
    'functions/a.ts': 'export default async () => (await import("../lib/late.ts")).late;\n',
  });
  const first = await app.build();
  expect(await load(first, 'a')['default']()).toBe(1);
  await app.write({ 'lib/late.ts': 'export const late = 2;\n' });
  expect(await app.build()).toMatchObject({ changed: ['a'] });
});

test('module that re-exports another is left to the boot check', async () => {
  await using app = await makeApp({
    'lib/h.cjs': 'exports.GET = () => 1;',
    'functions/a.ts': 'export * from "../lib/h.cjs";\n',
  });
  expect((await app.build()).manifest.functions).toHaveLength(1);
});

test('bundle.define replaces constants; a value that is no literal fails', async () => {
  await using app = await makeApp({
    'functions/a.ts': 'declare const DEBUG: boolean;\nexport default () => (DEBUG ? "debug" : "quiet");\n',
    'fnrun.json': '{ "bundle": { "define": { "DEBUG": "true" } } }',
  });
  expect(load(await app.build(), 'a')['default']()).toBe('debug');
  await app.write({ 'fnrun.json': '{ "bundle": { "define": { "DEBUG": "two words" } } }' });
  expect((await app.fail()).problems).toMatchObject([{ code: 'FN_BAD_SETTINGS', file: 'fnrun.json' }]);
});

test('bundle.mainFields and bundle.conditions choose the file of a package', async () => {
  await using app = await makeApp({
    'functions/a.ts': 'import x from "x"; import y from "y"; export default () => [x, y];\n',
    'node_modules/x/package.json': '{ "name": "x", "main": "main.js", "module": "module.js" }',
    'node_modules/x/main.js': 'module.exports = "main";\n',
    'node_modules/x/module.js': 'export default "module";\n',
    'node_modules/y/package.json': '{ "name": "y", "exports": { "special": "./special.js", "default": "./index.js" } }',
    'node_modules/y/index.js': 'module.exports = "default";\n',
    'node_modules/y/special.js': 'module.exports = "special";\n',
  });
  expect(load(await app.build({ useLocalModules: true }), 'a')['default']()).toEqual(['main', 'default']);
  await app.write({ 'fnrun.json': '{ "bundle": { "mainFields": ["module", "main"], "conditions": ["special"] } }' });
  expect(load(await app.build({ useLocalModules: true }), 'a')['default']()).toEqual(['module', 'special']);
});
