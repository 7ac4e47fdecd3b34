import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli, startCli, type CliResult, type RunningCli } from '../support/cli.ts';
import { commitAll, git, initRepository } from '../support/git.ts';
import { makeTempDir, writeTree, type TempDir } from '../support/temp-dir.ts';

let dir: TempDir;
let server: RunningCli;
let home: string;

/** Two releases of the app `shop`, whose functions log and fail on demand. */
beforeAll(async () => {
  dir = await makeTempDir('fn-cli-');
  home = join(dir.path, 'h');
  server = await startCli(['serve', '--home', home, '--listen', '127.0.0.1:0']);
  await fnrun('apps', 'create', 'shop');
  const app = join(dir.path, 'app');
  await mkdir(app);
  await initRepository(app);
  await git(app, 'remote', 'add', 'fnrun', join(home, 'apps/shop/repo.git'));
  for (const version of ['one', 'two']) {
    await writeTree(app, {
      'functions/index.ts': `export default (_request, ctx) => { ctx.log.info('asked', { version: '${version}' }); return new Response('${version}'); };\n`,
      'functions/items/[id]/index.ts': `export const GET = (_request, ctx) => { console.log('item', ctx.params.id); return Response.json(ctx.params); };\n`,
    });
    await commitAll(app, `Version ${version}`);
    await git(app, 'push', '-q', 'fnrun', 'main');
  }
}, 60_000);

afterAll(async () => {
  await server.stop();
  await dir.remove();
});

async function fnrun(...args: string[]): Promise<CliResult> {
  return await runCli(args, { env: { FNRUN_HOME: home } });
}

test('apps lists the app with its live release, also as JSON', async () => {
  const { code, stdout } = await fnrun('apps');
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^APP +LIVE +BRANCH +FUNCTIONS +SINCE +URL\nshop +[0-9a-f]{16} +main +2 +[\d.]+ (ms|s|min) ago +http:\/\/shop\./,
  );
  const [app] = JSON.parse((await fnrun('apps', '--json')).stdout);
  expect(app).toMatchObject({ name: 'shop', branch: 'main', live: { functions: 2 } });
});

test('apps create refuses a name that is taken and one that is none', async () => {
  expect(await fnrun('apps', 'create', 'shop')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^fnrun: .*shop/),
  });
  expect(await fnrun('apps', 'create', 'No Name')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^fnrun: .+\n$/),
  });
});

test('deploys lists deployments newest first, the live one marked', async () => {
  const { stdout } = await fnrun('deploys', 'shop');
  const [header, newest, oldest] = stdout.split('\n');
  expect(header).toMatch(/^ID +RELEASE +STATE +BY +COMMIT +WHEN +TOOK +SUBJECT$/);
  expect(newest).toMatch(/^[0-9a-f]{16} +[0-9a-f]{16} +live +push .+Version two$/);
  expect(oldest).toMatch(/^[0-9a-f]{16} +[0-9a-f]{16} +succeeded +push .+Version one$/);
});

test('rollback makes the release before live, redeploy a named one, and deploys shows both', async () => {
  const deployments = JSON.parse((await fnrun('deploys', 'shop', '--json')).stdout);
  const [two, one] = deployments.map((deployment: { release: string }) => deployment.release);
  expect(await fnrun('rollback', 'shop')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(new RegExp(`^shop now serves ${one}, commit [0-9a-f]{8}`)),
  });
  expect((await fnrun('invoke', 'shop', '/')).stdout).toBe('one');
  expect(await fnrun('redeploy', 'shop', two.slice(0, 6))).toMatchObject({ code: 0 });
  expect((await fnrun('invoke', 'shop', '/')).stdout).toBe('two');
  expect((await fnrun('deploys', 'shop')).stdout).toMatch(/live +redeploy[^]+rollback/);
});

test('rollback to a release that is not there fails in one line', async () => {
  const { code, stderr } = await fnrun('rollback', 'shop', 'ffffffffffffffff');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^fnrun: .*ffffffffffffffff.*\n$/);
});

test('invoke prints body, status and headers, and fails with 1 for an error status', async () => {
  expect(await fnrun('invoke', 'shop', '/items/7')).toMatchObject({ code: 0, stdout: '{"id":"7"}' });
  const included = await fnrun('invoke', 'shop', '/items/7', '-i');
  expect(included.stdout).toMatch(/^HTTP\/1\.1 200 OK\n[^]*content-type: application\/json[^]*\n\n\{"id":"7"\}$/i);
  const missing = await fnrun('invoke', 'shop', '/nowhere');
  expect(missing).toMatchObject({ code: 1, stderr: 'fnrun: the app answered with 404\n' });
  expect(JSON.parse(missing.stdout)).toMatchObject({ code: 'FN_NOT_FOUND' });
  expect(await fnrun('invoke', 'shop', '/items/7', '-X', 'DELETE')).toMatchObject({ code: 1 });
});

test('logs -f shows past and new lines, and ends with 0 at Ctrl-C', async () => {
  await fnrun('invoke', 'shop', '/items/before');
  const logs = await startCli(['logs', 'shop', '-f', '--home', home], { ready: /info +items\/\[id\] item before/ });
  await fnrun('invoke', 'shop', '/items/after');
  await logs.waitFor(/info +items\/\[id\] item after/);
  expect((await logs.stop('SIGINT')).code).toBe(0);
});

test('logs shows one function only when asked to, and JSON records', async () => {
  await fnrun('invoke', 'shop', '/');
  await fnrun('invoke', 'shop', '/items/9');
  const { stdout } = await fnrun('logs', 'shop', '--function', 'index', '--json', '--lines', '5');
  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(new Set(records.map((record) => record.function))).toEqual(new Set(['index']));
  expect(records.at(-1)).toMatchObject({ app: 'shop', level: 'info', message: 'asked', fields: { version: 'two' } });
});

test('ps shows the server and the process of the app', async () => {
  const { stdout } = await fnrun('ps');
  expect(stdout).toMatch(/^NAME +STATE +PID +UP +MEMORY/);
  expect(stdout).toMatch(/^\(server\) +running +\d+ /m);
  expect(stdout).toMatch(/^shop +running +\d+ .+ [0-9a-f]{16}$/m);
  const processes = JSON.parse((await fnrun('ps', '--json')).stdout);
  expect(processes.apps).toMatchObject([{ app: 'shop', state: 'running', stats: { functions: [{}, {}] } }]);
  const { limits, use, exits } = processes.apps[0];
  expect(use.memoryBytes).toBeLessThan(limits.memoryMb * 2 ** 20);
  expect(exits).toEqual([]);
  const own = (await fnrun('ps', 'shop')).stdout;
  expect(own).toMatch(/^memory +\d+\/\d+ MB$/m);
  expect(own).toMatch(/^items\/\[id\] +ok /m);
  expect(await fnrun('ps', 'nobody')).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no app') });
});

test('a command about an app that is not there fails in one line', async () => {
  for (const command of ['deploys', 'rollback', 'redeploy', 'logs']) {
    const { code, stderr } = await fnrun(command, 'nobody');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^fnrun: .*nobody.*\n$/);
  }
});

test('apps remove deletes the app', async () => {
  await fnrun('apps', 'create', 'gone');
  expect(await fnrun('apps', 'remove', 'gone')).toMatchObject({ code: 0, stdout: 'Removed gone.\n' });
  expect((await fnrun('apps')).stdout).not.toContain('gone');
});
