import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { repositoryRoot, runCli } from '../support/cli.ts';
import { git, tryGit } from '../support/git.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

const run = promisify(execFile);
const identity = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.invalid',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.invalid',
};

/** Runs the TypeScript compiler on the app in `dir`; resolves to what it says, empty when all is well. */
async function typeCheck(dir: string): Promise<string> {
  const tsc = join(repositoryRoot, 'node_modules/.bin/tsc');
  return await run(tsc, ['-p', dir]).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

test('init makes an app that type-checks as it is, in a repository with a first commit', async () => {
  await using dir = await makeTempDir();
  const { code, stdout } = await runCli(['init', 'my-shop'], { cwd: dir.path, env: identity });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {2}cd my-shop$/m);
  expect(stdout).toMatch(/apps create my-shop$/m);
  const app = join(dir.path, 'my-shop');
  expect(await typeCheck(app)).toBe('');
  expect(await git(app, 'log', '--format=%an %s')).toBe('Test New fnrun app');
  expect(await git(app, 'status', '--short')).toBe('');
  expect(await git(app, 'branch', '--show-current')).toBe('main');
});

test('the types of a new app know the context, the environment and fetch, and refuse what is wrong', async () => {
  await using dir = await makeTempDir();
  await runCli(['init', dir.path], { env: identity });
  await writeTree(dir.path, {
    'functions/typed/index.ts': `import type { Config, Context } from 'fnrun';
      export const config = { timeoutMs: 500, methods: ['GET'] } satisfies Config;
      export default async function typed(request: Request, ctx: Context): Promise<Response> {
        const { id } = await ctx.params;
        const key: string | undefined = process.env.KEY ?? ctx.env.KEY;
        for await (const chunk of request.body ?? []) console.log(chunk.length, id, key);
        ctx.waitUntil(fetch('http://127.0.0.1/', { signal: ctx.signal }));
        return new Response(new TextEncoder().encode(JSON.stringify([...request.headers])), { status: 201 });
      }`,
  });
  expect(await typeCheck(dir.path)).toBe('');
  await writeTree(dir.path, {
    'functions/typed/index.ts': `import type { Context } from 'fnrun';
      export default (request: Request, ctx: Context) => new Response(ctx.parms.id + window.name);`,
  });
  const told = await typeCheck(dir.path);
  expect(told).toContain("Property 'parms' does not exist");
  expect(told).toContain("Cannot find name 'window'");
});

test('the files that a build takes as text and wasm have types in a new app, and build', async () => {
  await using dir = await makeTempDir();
  await runCli(['init', dir.path], { env: identity });
  const extensions = ['txt', 'md', 'html', 'css', 'sql', 'svg', 'csv', 'xml', 'yaml', 'yml', 'graphql', 'gql'];
  const imports = extensions.map((extension) => `import ${extension} from './file.${extension}';`).join('\n');
  await writeTree(dir.path, Object.fromEntries(extensions.map((extension) => [`functions/file.${extension}`, 'text'])));
  await writeTree(dir.path, {
    'functions/file.wasm': new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]),
    'functions/file.json': '{ "a": 1 }',
    'functions/index.ts': `${imports}
      import wasm from './file.wasm';
      import data from './file.json';
      const all: string = [${extensions.join(', ')}].join();
      export default async () => Response.json([all, data.a + 1, (await WebAssembly.instantiate(wasm)).exports]);`,
  });
  expect(await typeCheck(dir.path)).toBe('');
  expect(await runCli(['build', dir.path])).toMatchObject({ code: 0 });
});

test('a new app goes on type-checking when it gets the types of Node', async () => {
  await using dir = await makeTempDir();
  await runCli(['init', dir.path], { env: identity });
  const tsconfig = join(dir.path, 'tsconfig.json');
  const text = (await readFile(tsconfig, 'utf8')).replace(
    '"noEmit": true',
    `"noEmit": true, "types": ["node"], "typeRoots": ["${join(repositoryRoot, 'node_modules/@types')}"]`,
  );
  await writeTree(dir.path, {
    'tsconfig.json': text,
    'functions/file/index.ts': `import { readFileSync } from 'node:fs';
      export default () => new Response(readFileSync('/etc/hostname', 'utf8') + process.env.HOME + process.pid);`,
  });
  expect(await typeCheck(dir.path)).toBe('');
});

test('init makes the app without a commit when git knows nobody', async () => {
  await using dir = await makeTempDir();
  const env = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const { code, stdout } = await runCli(['init', 'app'], { cwd: dir.path, env });
  expect(code).toBe(0);
  expect(stdout).toContain('git does not know your name yet');
  expect((await tryGit(join(dir.path, 'app'), ['log'])).code).not.toBe(0);
});

test('init makes no repository inside another one', async () => {
  await using dir = await makeTempDir();
  await git(dir.path, 'init', '-q');
  const { stdout } = await runCli(['init', 'app'], { cwd: dir.path, env: identity });
  expect(stdout).toContain('part of the git repository around it; to push it, make it one of its own: git init');
  expect((await git(join(dir.path, 'app'), 'rev-parse', '--show-prefix')).trim()).toBe('app/');
});

test('init accepts a repository that holds nothing yet', async () => {
  await using dir = await makeTempDir();
  await git(dir.path, 'init', '-q', '-b', 'main');
  const { code } = await runCli(['init'], { cwd: dir.path, env: identity });
  expect(code).toBe(0);
  expect(await git(dir.path, 'log', '--format=%s')).toBe('New fnrun app');
});

test('init refuses a folder that holds something and leaves it alone', async () => {
  await using dir = await makeTempDir();
  await writeTree(dir.path, { 'precious.txt': 'mine' });
  const { code, stderr } = await runCli(['init', dir.path]);
  expect(code).toBe(1);
  expect(stderr).toBe(
    `fnrun: Cannot make an app in ${dir.path}: it is not empty (precious.txt is in it); name a new folder: fnrun init NAME\n`,
  );
  expect(await readFile(join(dir.path, 'precious.txt'), 'utf8')).toBe('mine');
});

test('init refuses a file', async () => {
  await using dir = await makeTempDir();
  await mkdir(join(dir.path, 'sub'));
  await writeTree(dir.path, { file: '' });
  const { code, stderr } = await runCli(['init', join(dir.path, 'file')]);
  expect(code).toBe(1);
  expect(stderr).toContain('it is no folder');
});
