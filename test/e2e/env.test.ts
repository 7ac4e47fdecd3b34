import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ProcessesBody } from '../../router/control/types.ts';
import { runCli, type CliResult } from '../support/cli.ts';
import { eventually } from '../support/deadline.ts';
import { commitAll } from '../support/git.ts';
import { fetchFrom, type HttpTarget } from '../support/http.ts';
import { writeTree } from '../support/temp-dir.ts';
import { push, startGitFixture, type GitFixture } from './git-fixture.ts';

// Real servers, processes and pushes, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

let fixture: GitFixture;
let dir: string;

beforeAll(async () => {
  fixture = await startGitFixture();
  ({ dir } = await fixture.makeApp('shop'));
  await writeTree(dir, shapes('one'));
  await commitAll(dir, 'Handlers of each shape');
}, 60_000);
afterAll(() => fixture?.[Symbol.asyncDispose]());

/** A function of each shape that tells what it sees of TOKEN, and a file of module state that was made with it. */
function shapes(code: string): Record<string, string> {
  return {
    'functions/index.ts': `
      const atLoad = process.env.TOKEN;
      export default (request, ctx) => Response.json(['${code}', atLoad, process.env.TOKEN, ctx.env.TOKEN].map(String));`,
    'functions/fetch/index.ts': `
      const atLoad = process.env.TOKEN;
      export default { fetch: (request, env, ctx) => Response.json([env.TOKEN, ctx.env.TOKEN, atLoad].map(String)) };`,
    'functions/methods/index.ts': `
      const atLoad = process.env.TOKEN;
      export const GET = (request, ctx) => Response.json([ctx.env.TOKEN, process.env.TOKEN, atLoad].map(String));`,
    'functions/lambda/index.ts': `
      const atLoad = process.env.TOKEN;
      export const handler = async () => ({ statusCode: 200, body: JSON.stringify([process.env.TOKEN, atLoad].map(String)) });`,
    'functions/all/index.ts': `export default () => Response.json(Object.keys(process.env).toSorted());`,
  };
}

async function env(...args: string[]): Promise<CliResult> {
  return await runCli(['env', ...args, '--home', fixture.server.home]);
}

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await env(...args);
  expect([stderr, code]).toEqual(['', 0]);
  return stdout;
}

const target = (app = 'shop'): HttpTarget => fixture.server.appSocket(app);
const seen = async (path = '/'): Promise<string[]> => (await fetchFrom(target(), { path })).json() as string[];

async function hostPid(app = 'shop'): Promise<number | null> {
  const { stdout } = await runCli(['ps', '--json', '--home', fixture.server.home]);
  return (JSON.parse(stdout) as ProcessesBody).apps.find((one) => one.app === app)?.pid ?? null;
}

test('env before the first push is stored, and the first push has it', async () => {
  expect(await ok('shop')).toBe('No variables. Set one with: fnrun env shop set NAME=VALUE\n');
  expect(await ok('shop', 'set', 'TOKEN=first value', 'OTHER=x')).toBe(
    'Stored: the first push to shop will have it.\n',
  );
  expect(await ok('shop', 'list')).toBe('NAME   BYTES\nOTHER  1\nTOKEN  11\n');
  expect((await push(dir, 'main')).code).toBe(0);
  expect(await seen()).toEqual(['one', 'first value', 'first value', 'first value']);
});

test('env reaches handlers of each shape, at load and after, and nothing else is there', async () => {
  const value = 'first value';
  expect(await seen('/fetch')).toEqual([value, value, value]);
  expect(await seen('/methods')).toEqual([value, value, value]);
  expect(await seen('/lambda')).toEqual([value, value]);
  expect(await seen('/all')).toEqual(['OTHER', 'TOKEN']);
});

test('env set deploys the live code with the new value in the same process', async () => {
  const pid = await hostPid();
  expect(await ok('shop', 'set', 'TOKEN=second value')).toMatch(
    /^shop now serves [0-9a-f]{16}: set TOKEN \(\d+ ms\)\n$/,
  );
  expect(await seen()).toEqual(['one', 'second value', 'second value', 'second value']);
  expect(await hostPid()).toBe(pid);
  expect(await ok('shop', 'set', 'TOKEN=second value')).toBe('Nothing changed.\n');
  const [newest, before] = await fixture.deploys('shop');
  expect(newest).toMatchObject({ source: 'env', state: 'succeeded', live: true });
  expect(before).toMatchObject({ source: 'push', state: 'succeeded', live: false });
  expect(newest?.release).not.toBe(before?.release);
});

test('rollback restores the variables of its release, and the next push goes on from them', async () => {
  const rollback = await runCli(['rollback', 'shop', '--home', fixture.server.home]);
  expect(rollback.code).toBe(0);
  expect(await seen()).toEqual(['one', 'first value', 'first value', 'first value']);
  expect(await ok('shop', 'list', '--values')).toBe("OTHER=x\nTOKEN='first value'\n");
  await writeTree(dir, shapes('two'));
  await commitAll(dir, 'Another code');
  expect((await push(dir, 'main')).code).toBe(0);
  expect(await seen()).toEqual(['two', 'first value', 'first value', 'first value']);
});

test('env unset removes a variable, and with the last one the release is the build alone', async () => {
  await ok('shop', 'unset', 'OTHER');
  expect(await seen('/all')).toEqual(['TOKEN']);
  const told = await ok('shop', 'unset', 'TOKEN');
  const release = /serves ([0-9a-f]{16})/.exec(told)?.[1] ?? '';
  expect(await seen()).toEqual(['two', 'undefined', 'undefined', 'undefined']);
  expect(await readdir(join(fixture.server.home, 'apps/shop/releases'))).toContain(release);
  const missing = await env('shop', 'unset', 'TOKEN');
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('shop has no variable "TOKEN"');
});

test('env takes a value from standard input, with its lines', async () => {
  const input = 'line one\nline two\n';
  const { code } = await runCli(['env', 'shop', 'set', 'TOKEN=-', '--home', fixture.server.home], { input });
  expect(code).toBe(0);
  expect((await seen('/lambda'))[0]).toBe('line one\nline two');
});

test('env set that the code cannot load with changes nothing, and the error has no value', async () => {
  await writeTree(dir, {
    'functions/picky/index.ts': `
      if (process.env.MODE === 'forbidden') throw new Error('mode is ' + process.env.MODE);
      export default () => new Response(String(process.env.MODE));`,
  });
  await commitAll(dir, 'A picky function');
  expect((await push(dir, 'main')).code).toBe(0);
  const failed = await env('shop', 'set', 'MODE=forbidden');
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('functions/picky/index.ts:2: Error: mode is [redacted MODE]');
  expect(failed.stderr + failed.stdout).not.toContain('forbidden');
  expect((await fetchFrom(target(), { path: '/picky' })).text).toBe('undefined');
  expect(await ok('shop', 'list')).not.toContain('MODE');
  const [newest] = await fixture.deploys('shop');
  expect(newest).toMatchObject({ source: 'env', state: 'failed' });
  expect(newest?.error).toContain('[redacted MODE]');
});

test('what loading told with one set of variables is not taken for another, also by the next process', async () => {
  const app = await fixture.makeApp('methods');
  await writeTree(app.dir, {
    'functions/index.ts': `
      export const config = { methods: [process.env.METHOD ?? 'GET'] };
      export default (request) => new Response(request.method);`,
  });
  await commitAll(app.dir, 'Methods by variable');
  expect((await push(app.dir, 'main')).code).toBe(0);
  const statuses = async (): Promise<number[]> =>
    await Promise.all(
      ['GET', 'PUT'].map(async (method) => (await fetchFrom(target('methods'), { method, path: '/' })).status),
    );
  const endHost = async (): Promise<void> => {
    const pid = await hostPid('methods');
    process.kill(pid ?? 0, 'SIGKILL');
    await eventually(async () => ![null, pid].includes(await hostPid('methods')));
  };
  expect(await statuses()).toEqual([200, 405]);
  await ok('methods', 'set', 'METHOD=PUT');
  expect(await statuses()).toEqual([405, 200]);
  await endHost();
  expect(await statuses()).toEqual([405, 200]);
  expect((await runCli(['rollback', 'methods', '--home', fixture.server.home])).code).toBe(0);
  await endHost();
  expect(await statuses()).toEqual([200, 405]);
});

test('release command has the variables, and what it prints of them is redacted', async () => {
  const app = await fixture.makeApp('command');
  const value = 'db-with-a-password';
  await ok('command', 'set', `DATABASE=${value}`);
  const release = 'echo "migrating $DATABASE, ${#DATABASE} characters"';
  await writeTree(app.dir, { 'fnrun.json': JSON.stringify({ release }) });
  await commitAll(app.dir, 'A release command');
  const { code, output } = await push(app.dir, 'main');
  expect(code).toBe(0);
  expect(output).toContain(`migrating [redacted DATABASE], ${value.length} characters`);
});

test('variables with which a function does not answer its check, or fails its requests, do not last', async () => {
  const app = await fixture.makeApp('guarded');
  await writeTree(app.dir, {
    'functions/index.ts': `
      export const config = { check: '/?check' };
      const { MODE } = process.env;
      export default (request) => {
        const asked = new URL(request.url).search === '?check';
        if (MODE === 'unhealthy' && asked) return new Response(MODE, { status: 503 });
        if (MODE === 'broken' && !asked) throw new Error(MODE);
        return new Response(String(MODE));
      };`,
  });
  await commitAll(app.dir, 'A guarded function');
  expect((await push(app.dir, 'main')).code).toBe(0);
  const said = async (): Promise<string> => (await fetchFrom(target('guarded'), { path: '/' })).text;
  const refused = await env('guarded', 'set', 'MODE=unhealthy');
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('GET /?check answered 503')]);
  for (let n = 0; n < 30; n += 1) expect(await said()).toBe('undefined');
  await ok('guarded', 'set', 'MODE=broken');
  for (let n = 0; n < 25; n += 1) await said();
  await eventually(async () => (await said()) === 'undefined', { deadlineMs: 20_000, everyMs: 200 });
  expect(await ok('guarded')).toMatch(/^No variables/);
  expect(await fixture.deploys('guarded')).toMatchObject([
    { source: 'auto-rollback', live: true },
    { source: 'env', state: 'succeeded', note: expect.stringContaining('taken back') },
    { source: 'env', state: 'failed' },
    { source: 'push' },
  ]);
});

test.each([
  [['set', 'FNRUN_X=1'], 2, 'FNRUN_X'],
  [['set', 'NODE_OPTIONS=--require=/tmp/x'], 2, 'NODE_OPTIONS'],
  [['set', '1A=1'], 2, '1A'],
  [['set', 'secret-without-name'], 2, 'Variable 1 is no NAME=VALUE'],
  [['set', 'A=-', 'B=-'], 2, 'Standard input'],
  [['unset', 'NOT_THERE'], 2, 'NOT_THERE'],
  [['set'], 2, 'needs a variable'],
  [['swap', 'A'], 2, 'env cannot swap'],
])('env %j ends with %i', async (args, code, text) => {
  const result = await env('shop', ...args);
  expect(result.code).toBe(code);
  expect(result.stderr).toContain(text);
  expect(result.stderr).not.toContain('secret-without-name');
});

test('env of an app is not that of another', async () => {
  const other = await fixture.makeApp('other');
  await writeTree(other.dir, { 'functions/index.ts': `export default () => Response.json(Object.keys(process.env));` });
  await commitAll(other.dir, 'Tells its variables');
  expect((await push(other.dir, 'main')).code).toBe(0);
  await ok('shop', 'set', 'TOKEN=of the shop alone');
  expect((await fetchFrom(target('other'), { path: '/' })).json()).toEqual([]);
});
