import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeApp } from './app.ts';
import type { TestApp } from './app.ts';

const secret = 'THE-SECRET';

/** Ways to import what lies in `dir`, beside the app. */
const ways: Record<string, (app: TestApp) => Promise<unknown>> = {
  'an absolute path': (app) =>
    app.write({ 'functions/a.ts': `import x from "${app.dir}/outside/x.ts"; export default x;\n` }),
  'a relative path': (app) =>
    app.write({ 'functions/a.ts': 'import x from "../../outside/x.ts"; export default x;\n' }),
  'a relative path with require': (app) =>
    app.write({ 'functions/a.cjs': 'exports.handler = require("../../outside/x.ts");\n' }),
  'a dynamic import': (app) => app.write({ 'functions/a.ts': 'export default () => import("../../outside/x.ts");\n' }),
  'an import with type text': (app) =>
    app.write({
      'functions/a.ts': `import x from "${app.dir}/outside/s.txt" with { type: "text" }; export default x;\n`,
    }),
  'a relative import with type text': (app) =>
    app.write({ 'functions/a.ts': 'import x from "../../outside/s.txt" with { type: "text" }; export default x;\n' }),
  'a linked file': async (app) => {
    await app.write({ 'functions/a.ts': 'import x from "../lib/x.ts"; export default x;\n', 'lib/.keep': '' });
    await symlink(join(app.dir, 'outside/x.ts'), join(app.source, 'lib/x.ts'));
  },
  'a linked folder': async (app) => {
    await app.write({ 'functions/a.ts': 'import x from "../lib/x.ts"; export default x;\n' });
    await symlink(join(app.dir, 'outside'), join(app.source, 'lib'));
  },
  'a linked folder below another': async (app) => {
    await app.write({ 'functions/a.ts': 'import x from "../lib/deep/x.ts"; export default x;\n', 'lib/.keep': '' });
    await symlink(join(app.dir, 'outside'), join(app.source, 'lib/deep'));
  },
  'paths of tsconfig.json': (app) =>
    app.write({
      'functions/a.ts': 'import x from "out/x.ts"; export default x;\n',
      'tsconfig.json': `{ "compilerOptions": { "paths": { "out/*": ["${app.dir}/outside/*"] } } }`,
    }),
  'extends of tsconfig.json': (app) =>
    app.write({
      'functions/a.ts': 'export default () => 1;\n',
      'tsconfig.json': '{ "extends": "../outside/tsconfig.json" }',
    }),
  'an absolute extends of tsconfig.json': (app) =>
    app.write({
      'functions/a.ts': 'export default () => 1;\n',
      'tsconfig.json': `{ "extends": ["${app.dir}/outside/tsconfig.json"] }`,
    }),
  'extends of a tsconfig.json that another extends': (app) =>
    app.write({
      'functions/a.ts': 'export default () => 1;\n',
      'tsconfig.json': '{ "extends": "./lib/base" }',
      'lib/base.json': '{ "extends": "../../outside/tsconfig.json" }',
    }),
};

const cases = Object.keys(ways).flatMap((way) => [
  { way, useLocalModules: false },
  { way, useLocalModules: true },
]);

test.each(cases)(
  'import from outside the app by $way fails (useLocalModules: $useLocalModules)',
  async ({ way, useLocalModules }) => {
    await using app = await makeApp({
      'node_modules/.keep': '',
      '../outside/x.ts': `const = "${secret}";\n`,
      '../outside/s.txt': secret,
      '../outside/tsconfig.json': `{ "${secret}" `,
    });
    await ways[way]!(app);
    const { problems } = await app.fail({ useLocalModules });
    expect(problems).toMatchObject([
      { code: 'FN_IMPORT_OUTSIDE', file: expect.stringMatching(/./), hint: expect.stringContaining('into the app') },
    ]);
    expect(problems[0]?.message).toContain('outside');
    // Nothing of the file was read: its syntax error would show it.
    expect(JSON.stringify(problems)).not.toContain(secret);
  },
);

test('entry that is a link out of the app fails', async () => {
  await using app = await makeApp({
    'functions/a.ts': 'export default () => 1;\n',
    '../outside/x.ts': 'export default () => 2;\n',
  });
  await symlink(join(app.dir, 'outside/x.ts'), join(app.source, 'functions/b.ts'));
  expect((await app.fail()).problems).toMatchObject([{ code: 'FN_SOURCE_ENTRY', file: 'functions/b.ts' }]);
});

test('link inside the app is followed', async () => {
  await using app = await makeApp({
    'lib/x.ts': 'export default 1;\n',
    'functions/a.ts': 'import x from "./_x.ts"; export default () => x;\n',
  });
  await symlink('../lib/x.ts', join(app.source, 'functions/_x.ts'));
  expect((await app.build()).manifest.functions).toHaveLength(1);
});

test('package in a node_modules folder above the app does not count', async () => {
  const files = {
    'functions/a.ts': 'import x from "above"; export default () => x;\n',
    '../node_modules/above/index.js': 'export default 1;\n',
    'node_modules/.keep': '',
  };
  await using app = await makeApp(files);
  expect((await app.fail()).problems).toMatchObject([{ code: 'FN_UNRESOLVED_IMPORT', hint: 'npm install above' }]);
  expect((await app.fail({ useLocalModules: true })).problems).toMatchObject([
    { code: 'FN_UNRESOLVED_IMPORT', hint: 'npm install above' },
  ]);
});
