import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '../support/cli.ts';
import { eventually, within } from '../support/deadline.ts';
import { commitAll, initRepository, tryGit } from '../support/git.ts';
import { fetchFrom, targetOf } from '../support/http.ts';
import { olderNode } from '../support/older-node.ts';
import { makeTempDir, writeTree, type TempDir } from '../support/temp-dir.ts';

const run = promisify(execFile);
const npmMs = 240_000;

/** Both ways a person may call it: with the Node that it needs, and with one that is too old. */
const nodes = [
  ['Node 26', dirname(process.execPath)],
  ...(olderNode === null ? [] : [['an older Node', dirname(olderNode)] as const]),
] as const;

let dir: TempDir;

beforeAll(async () => {
  dir = await makeTempDir('fnrun-pack-');
  const quiet = ['--silent', '--no-audit', '--no-fund', '--no-update-notifier'];
  await run('npm', ['pack', '--silent', '--pack-destination', dir.path], { cwd: repositoryRoot, timeout: npmMs });
  const [tarball] = (await readdir(dir.path)).filter((name) => name.endsWith('.tgz'));
  await mkdir(join(dir.path, 'user'));
  const install = ['install', '--ignore-scripts', '--prefer-offline', ...quiet, `../${tarball}`];
  await run('npm', install, { cwd: join(dir.path, 'user'), timeout: npmMs });
}, npmMs);

afterAll(() => dir.remove());

/** Starts the installed `fnrun` as a shell would, with `nodeFolder` first in PATH. */
function start(nodeFolder: string, args: string[]): { child: ChildProcess; output: () => string } {
  const PATH = `${nodeFolder}:/usr/local/bin:/usr/bin:/bin`;
  const env = { ...process.env, PATH, NO_COLOR: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const user = join(dir.path, 'user');
  const child = spawn(join(user, 'node_modules/.bin/fnrun'), args, {
    cwd: user,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (output += text));
  return { child, output: () => output };
}

async function finish(nodeFolder: string, args: string[]): Promise<{ code: number; output: string }> {
  const { child, output } = start(nodeFolder, args);
  const [code] = (await within(30_000, args.join(' '), once(child, 'close'))) as [number];
  return { code, output: output() };
}

/** The URL that a command prints once it serves. */
async function urlOf({ child, output }: ReturnType<typeof start>, ready: RegExp): Promise<string> {
  return await eventually(
    () => {
      if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${output()}`);
      return ready.test(output()) ? /http:\/\/[\d.]+:\d+/.exec(output())?.[0] : undefined;
    },
    { deadlineMs: 20_000 },
  );
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  expect((await within(15_000, 'the end', ended))[0]).toBe(0);
}

test('the package holds built code and no sources', async () => {
  const installed = join(dir.path, 'user/node_modules/fnrun');
  const files = (await readdir(installed, { recursive: true })).filter((name) => !name.startsWith('node_modules'));
  expect(files.filter((name) => name.endsWith('.ts'))).toEqual(['dist/mysql.d.ts', 'dist/types.d.ts']);
  expect(files).toContain('cli/fnrun.js');
  expect(files).toContain('docs/fnrun.schema.json');
});

test.each(nodes)('the installed fnrun makes an app and serves it in development under %s', async (name, node) => {
  expect(await finish(node, ['--version'])).toEqual({ code: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  const app = `dev-${name.length}`;
  expect((await finish(node, ['init', app])).code).toBe(0);
  const dev = start(node, ['dev', app, '--port', '0']);
  const url = await urlOf(dev, /ready 2 functions/);
  const response = await fetchFrom(targetOf(url), { path: '/hello/you' });
  expect(response.json()).toEqual({ hello: 'you' });
  await end(dev.child);
});

test.each(nodes)('the installed fnrun takes a git push and serves the app under %s', async (name, node) => {
  const home = join(dir.path, `home-${name.length}`);
  const serve = start(node, ['serve', '--home', home, '--listen', '127.0.0.1:0']);
  const url = await urlOf(serve, /http:\/\//);
  expect((await finish(node, ['apps', 'create', 'shop', '--home', home])).code).toBe(0);
  const app = join(dir.path, `app-${name.length}`);
  await writeTree(app, { 'functions/index.ts': 'export default () => new Response("pushed");\n' });
  await initRepository(app);
  await commitAll(app, 'First');
  const pushed = await tryGit(app, ['push', join(home, 'apps/shop/repo.git'), 'main']);
  expect(pushed).toMatchObject({ code: 0 });
  expect((await fetchFrom(targetOf(url), { path: '/' })).text).toBe('pushed');
  expect((await finish(node, ['apps', '--home', home])).output).toMatch(/^shop +[0-9a-f]{16} /m);
  expect(await finish(node, ['invoke', 'shop', '/', '--home', home])).toEqual({ code: 0, output: 'pushed' });
  expect((await finish(node, ['ps', '--home', home])).output).toMatch(/^shop +running /m);
  await end(serve.child);
  expect(existsSync(join(home, 'run/control.sock'))).toBe(false);
});

test('a TypeScript app finds the types of the installed package', async () => {
  const user = join(dir.path, 'user');
  await writeTree(join(user, 'typed'), {
    'index.ts':
      "import type { Config, Context } from 'fnrun';\nexport const c: Config = { timeoutMs: 1 };\nexport type C = Context;\n",
    'tsconfig.json': JSON.stringify({
      compilerOptions: { noEmit: true, strict: true, module: 'nodenext', types: [], skipLibCheck: false },
    }),
  });
  const tsc = join(repositoryRoot, 'node_modules/.bin/tsc');
  const { stdout } = await run(tsc, ['-p', 'typed'], { cwd: user }).catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
});
