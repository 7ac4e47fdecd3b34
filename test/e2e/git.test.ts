import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli, startCli } from '../support/cli.ts';
import { commitAll, git, initRepository } from '../support/git.ts';
import { fetchFrom, targetOf } from '../support/http.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';
import { answer, change, type GitFixture, push, remoteHead, says, startGitFixture } from './git-fixture.ts';

let fixture: GitFixture;
let server: GitFixture['server'];
let folder: string;
const { makeApp, deploys, said }: Pick<GitFixture, 'makeApp' | 'deploys' | 'said'> = {
  makeApp: (name) => fixture.makeApp(name),
  deploys: (app) => fixture.deploys(app),
  said: (app) => fixture.said(app),
};

beforeAll(async () => {
  fixture = await startGitFixture();
  ({ server, folder } = fixture);
});

afterAll(() => fixture[Symbol.asyncDispose]());

test('first push builds, checks, goes live and gives an account', async () => {
  const { dir, remote } = await makeApp('first');
  const pushed = await push(dir, 'main');
  expect(pushed.code, pushed.output).toBe(0);
  expect(pushed.output).toMatch(/remote: bundled {5}2 functions, all new \([\d.]+ m?s\)/);
  expect(pushed.output).toMatch(/remote: boot check {2}ok, slowest \S+ [\d.]+ m?s \([\d.]+ m?s\)/);
  expect(pushed.output).toMatch(/remote: live {8}http:\/\/first\.localhost:\d+\/ \(release [0-9a-f]{16}\)/);
  expect(pushed.output).toMatch(/remote: total {7}[\d.]+ m?s/);
  expect(await said('first')).toBe('one');
  expect(await remoteHead(remote)).toBe(await git(dir, 'rev-parse', 'HEAD'));
  expect(await deploys('first')).toMatchObject([{ state: 'succeeded', source: 'push', live: true }]);
});

test('first push answers through the gateway by host name', async () => {
  const { dir } = await makeApp('gate');
  const pushed = await push(dir, 'main');
  const url = /live\s+(http:\S+)/.exec(pushed.output)?.[1] ?? '';
  const response = await fetchFrom(server.gateway, { path: '/users/7', headers: [['host', new URL(url).host]] });
  expect(response.text).toBe('user');
});

test('second push bundles only the function that changed', async () => {
  const { dir } = await makeApp('second');
  await push(dir, 'main');
  await change(dir, 'two');
  const pushed = await push(dir, 'main');
  expect(pushed.output).toContain('2 functions, 1 changed');
  expect(await said('second')).toBe('two');
});

test('push that changes no function keeps the live release', async () => {
  const { dir } = await makeApp('same');
  await push(dir, 'main');
  await writeTree(dir, { 'README.md': 'words' });
  await commitAll(dir, 'Words');
  const pushed = await push(dir, 'main');
  expect(pushed.code, pushed.output).toBe(0);
  expect(pushed.output).toContain('not needed: this release is the live one');
  expect(await said('same')).toBe('one');
  expect((await deploys('same')).filter((one) => one.live)).toHaveLength(1);
});

test('broken push is rejected with file, line and column, and changes nothing', async () => {
  const { dir, remote } = await makeApp('broken');
  await push(dir, 'main');
  const before = await remoteHead(remote);
  await writeTree(dir, { 'functions/index.ts': 'export default () => {\n  return oops oops;\n};\n' });
  await commitAll(dir, 'Broken');
  const pushed = await push(dir, 'main');
  expect(pushed.code).toBe(1);
  expect(pushed.output).toContain('functions/index.ts:2:15');
  expect(pushed.output).toContain('return oops oops;');
  expect(pushed.output).toMatch(/what to do {2}mend what is shown above, commit, push again\s*\n(?!remote:)/);
  expect(await remoteHead(remote)).toBe(before);
  expect(await said('broken')).toBe('one');
  const [failed, live] = await deploys('broken');
  expect(failed).toMatchObject({
    state: 'failed',
    live: false,
    error: expect.stringContaining('functions/index.ts:2:15'),
  });
  expect(live).toMatchObject({ state: 'succeeded', live: true });
});

test('push of a function that throws on load is rejected with its place in the source', async () => {
  const { dir, remote } = await makeApp('throws');
  await push(dir, 'main');
  const before = await remoteHead(remote);
  await writeTree(dir, { 'functions/index.ts': `${says('x')}\nthrow new Error('no database');\n` });
  await commitAll(dir, 'Throws');
  const pushed = await push(dir, 'main');
  expect(pushed.code).toBe(1);
  expect(pushed.output).toContain('no database');
  expect(pushed.output).toContain('functions/index.ts:3:7');
  expect(await remoteHead(remote)).toBe(before);
  expect(await said('throws')).toBe('one');
  await change(dir, 'mended');
  expect((await push(dir, 'main')).code).toBe(0);
  expect(await said('throws')).toBe('mended');
});

test('first push that is broken leaves an app without a release', async () => {
  const { dir } = await makeApp('never');
  await writeTree(dir, { 'functions/index.ts': 'export const nothing = 1;\n' });
  await commitAll(dir, 'No handler');
  const pushed = await push(dir, 'main');
  expect(pushed.code).toBe(1);
  expect(pushed.output).toContain('FN_NO_HANDLER');
  expect((await fetchFrom(server.appSocket('never'), { path: '/' })).status).toBe(404);
});

test('rollback goes back one release, and further back the next time', async () => {
  const { dir } = await makeApp('back');
  await push(dir, 'main');
  for (const text of ['two', 'three']) {
    await change(dir, text);
    await push(dir, 'main');
  }
  const home = ['--home', server.home];
  expect((await runCli(['rollback', 'back', ...home])).code).toBe(0);
  expect(await said('back')).toBe('two');
  expect((await runCli(['rollback', 'back', ...home])).code).toBe(0);
  expect(await said('back')).toBe('one');
  const third = (await deploys('back')).find((one) => one.source === 'push');
  const named = await runCli(['rollback', 'back', third?.release.slice(0, 8) ?? '', ...home]);
  expect(named.code, named.stderr).toBe(0);
  expect(await said('back')).toBe('three');
  await change(dir, 'four');
  expect((await push(dir, 'main')).code).toBe(0);
  expect(await said('back')).toBe('four');
});

test('rollback says what is wrong when there is nothing to go back to', async () => {
  const { dir } = await makeApp('only');
  const home = ['--home', server.home];
  expect((await runCli(['rollback', 'only', ...home])).stderr).toContain('only has no live release yet');
  await push(dir, 'main');
  expect((await runCli(['rollback', 'only', ...home])).stderr).toContain('only has no release before the live one');
  expect((await runCli(['rollback', 'only', 'abcdef', ...home])).stderr).toContain('only has no release abcdef');
  const [live] = await deploys('only');
  expect((await runCli(['rollback', 'only', live?.release ?? '', ...home])).stderr).toContain('is the live one');
  expect((await runCli(['rollback', 'nobody', ...home])).stderr).toContain('There is no app "nobody"');
});

test('redeploy starts the live release afresh', async () => {
  const { dir } = await makeApp('again');
  const counting = 'let n = 0;\nexport default () => new Response(String(++n));\n';
  await writeTree(dir, { 'functions/index.ts': counting });
  await commitAll(dir, 'Count');
  await push(dir, 'main');
  expect(await said('again')).toBe('1');
  expect(await said('again')).toBe('2');
  const again = await runCli(['redeploy', 'again', '--home', server.home]);
  expect(again.code, again.stderr).toBe(0);
  expect(await said('again')).toBe('1');
  expect((await deploys('again')).map((one) => one.source)).toEqual(['redeploy', 'push']);
});

test('account of a deployment can be read later', async () => {
  const { dir } = await makeApp('later');
  await push(dir, 'main');
  const { stdout } = await runCli(['deploys', 'later', '--home', server.home, '--json']);
  const [{ id }] = JSON.parse(stdout) as [{ id: string }];
  const control = { socketPath: join(server.home, 'run/control.sock') };
  const log = await fetchFrom(control, { path: `/v1/apps/later/deployments/${id}/log` });
  expect(log.text).toMatch(/^bundled .*\nboot check .*\nlive .*\ntotal .*\n$/);
});

test('a deployment is shown with the time of its steps, and sizes against the release before', async () => {
  const { dir } = await makeApp('sizes');
  await push(dir, 'main');
  await writeTree(dir, { 'functions/index.ts': says('x'.repeat(5_000)), 'functions/new.ts': says('new') });
  await git(dir, 'rm', '-q', '-r', 'functions/users');
  await commitAll(dir, 'Larger');
  await push(dir, 'main');
  const [newest] = await deploys('sizes');
  const shown = await runCli(['deploys', 'sizes', newest?.id ?? '', '--home', server.home]);
  expect(shown.stdout).toMatch(/^state {7}live$/m);
  expect(shown.stdout).toMatch(/^steps {7}queued .*, export .*, build .*, check .*, accepted .*, activate /m);
  expect(shown.stdout).toMatch(/^index +5\.\d KB +\+5\.0 KB$/m);
  expect(shown.stdout).toMatch(/^new +0\.\d KB +new$/m);
  expect(shown.stdout).toMatch(/^users\/\[id\] +- +gone$/m);
});

test('apps remove ends the app and frees its name', async () => {
  const { dir } = await makeApp('gone');
  await push(dir, 'main');
  expect(await said('gone')).toBe('one');
  const removed = await runCli(['apps', 'remove', 'gone', '--home', server.home]);
  expect(removed.code, removed.stderr + server.cli.output()).toBe(0);
  await expect(said('gone')).rejects.toThrow();
  expect((await push(dir, 'main')).code).not.toBe(0);
  await server.createApp('gone');
  expect((await fetchFrom(server.appSocket('gone'), { path: '/' })).status).toBe(404);
  expect((await push(dir, 'main')).code).toBe(0);
});

test('apps create refuses names that cannot be apps, and apps that exist', async () => {
  const home = ['--home', server.home];
  for (const name of ['Upper', 'a--b', 'x'.repeat(41)]) {
    const refused = await runCli(['apps', 'create', name, ...home]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('cannot be the name of an app');
  }
  await server.createApp('twice');
  expect((await runCli(['apps', 'create', 'twice', ...home])).stderr).toContain('There is an app twice already');
});

test('second server on one home is refused', async () => {
  const second = await runCli(['serve', '--home', server.home, '--listen', '127.0.0.1:0']);
  expect(second.code).toBe(1);
  expect(second.stderr).toContain('Another fnrun server');
  expect((await fetchFrom(server.gateway, { path: '/.well-known/fnrun/health' })).status).toBe(200);
});

test('server killed with SIGKILL comes back with the live release, and pushes meanwhile say what to do', async () => {
  await using dir = await makeTempDir('fn-');
  const home = join(dir.path, 'home');
  const start = () => startCli(['serve', '--home', home, '--listen', '127.0.0.1:0']);
  const app = join(dir.path, 'app');
  await writeTree(app, { 'functions/index.ts': says('one') });
  await initRepository(app);
  await git(app, 'remote', 'add', 'fnrun', join(home, 'apps/hello/repo.git'));
  await commitAll(app, 'First commit');
  {
    await using first = await start();
    await runCli(['apps', 'create', 'hello', '--home', home]);
    expect((await push(app, 'main')).code).toBe(0);
    expect(await answer(targetOf(first.ready))).toBe('one');
    await first.stop('SIGKILL');
  }
  const commit = await change(app, 'two');
  const refused = await push(app, 'main');
  expect(refused.code).toBe(1);
  expect(refused.output).toContain('the fnrun server is not running: nothing was changed');
  expect(refused.output).toContain(`fnrun serve --home ${home}`);
  await using second = await start();
  expect(await answer(targetOf(second.ready))).toBe('one');
  expect(await answer({ socketPath: join(home, 'run/hello.sock') })).toBe('one');
  expect((await push(app, 'main')).code).toBe(0);
  expect(await answer(targetOf(second.ready))).toBe('two');
  const head = await readFile(join(home, 'apps/hello/repo.git/refs/heads/main'), 'utf8');
  expect(head.trim()).toBe(commit);
});

test('home whose path is too long for a socket is refused before anything is made', async () => {
  const home = join(folder, 'x'.repeat(100));
  const result = await runCli(['serve', '--home', home, '--listen', '127.0.0.1:0']);
  expect(result.code).toBe(2);
  expect(result.stderr).toContain('the path of a unix socket has at most');
  await expect(readFile(home)).rejects.toMatchObject({ code: 'ENOENT' });
});
