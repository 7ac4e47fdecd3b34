import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deployLimits } from '../../runtime/contract/limits.ts';
import { runCli } from '../support/cli.ts';
import { commitAll, git, initRepository, tryGit } from '../support/git.ts';
import { writeTree } from '../support/temp-dir.ts';
import { change, type GitFixture, push, remoteHead, says, startGitFixture } from './git-fixture.ts';

let fixture: GitFixture;
let server: GitFixture['server'];
let folder: string;
const { makeApp, said }: Pick<GitFixture, 'makeApp' | 'said'> = {
  makeApp: (name) => fixture.makeApp(name),
  said: (app) => fixture.said(app),
};

beforeAll(async () => {
  fixture = await startGitFixture();
  ({ server, folder } = fixture);
});

afterAll(() => fixture[Symbol.asyncDispose]());

/** A repository with one function and the app `name` as its remote, which must be there. */
async function makeTree(name: string): Promise<{ dir: string }> {
  const dir = join(folder, name);
  await writeTree(dir, { 'functions/index.ts': says('one') });
  await initRepository(dir);
  await git(dir, 'remote', 'add', 'fnrun', join(server.home, 'apps', name, 'repo.git'));
  await commitAll(dir, 'First commit');
  return { dir };
}

test('push to another branch, of a tag, and their deletion are stored and told in one line each', async () => {
  const { dir } = await makeApp('refs');
  await push(dir, 'main');
  await change(dir, 'two');
  await git(dir, 'tag', 'v1');
  const stored = await push(dir, 'HEAD:topic', 'v1');
  expect(stored.code, stored.output).toBe(0);
  expect(stored.output).toContain('stored      branch topic; pushed alone it gets a preview');
  expect(stored.output).toContain('stored      tag v1, not deployed: only main is');
  expect(await said('refs')).toBe('one');
  const deleted = await push(dir, ':topic', ':v1');
  expect(deleted.code, deleted.output).toBe(0);
  expect(deleted.output).toContain('deleted     branch topic');
  expect(deleted.output).toContain('deleted     tag v1');
});

test('push of several refs deploys the production branch and stores the others', async () => {
  const { dir } = await makeApp('several');
  const pushed = await push(dir, 'HEAD:topic', 'main');
  expect(pushed.code, pushed.output).toBe(0);
  expect(pushed.output).toContain('stored      branch topic');
  expect(await said('several')).toBe('one');
});

test('one rejection rejects the whole push', async () => {
  const { dir, remote } = await makeApp('whole');
  await push(dir, 'main');
  const pushed = await push(dir, 'HEAD:topic', ':main');
  expect(pushed.code).toBe(1);
  expect(pushed.output).toContain('main is the production branch of whole and cannot be deleted');
  expect((await tryGit(remote, ['rev-parse', '--verify', '-q', 'refs/heads/topic'])).code).toBe(1);
});

test('push of more refs than a push may have is rejected', async () => {
  const { dir } = await makeApp('refmany');
  const refs = Array.from({ length: deployLimits.pushRefs + 1 }, (_, n) => `HEAD:refs/tags/t${n}`);
  const pushed = await push(dir, ...refs);
  expect(pushed.code).toBe(1);
  expect(pushed.output).toContain(
    `a push may move ${deployLimits.pushRefs} refs, this one moves ${refs.length}: push fewer at once`,
  );
});

test('deletion of the production branch is rejected', async () => {
  const { dir, remote } = await makeApp('delete');
  await push(dir, 'main');
  const pushed = await push(dir, ':main');
  expect(pushed.code).toBe(1);
  expect(pushed.output).toContain('main is the production branch of delete and cannot be deleted');
  expect(pushed.output).toContain('fnrun apps remove delete');
  expect(await remoteHead(remote)).toBe(await git(dir, 'rev-parse', 'HEAD'));
  expect(await said('delete')).toBe('one');
});

test('force push to the production branch is rejected and points to rollback', async () => {
  const { dir, remote } = await makeApp('force');
  await push(dir, 'main');
  const before = await remoteHead(remote);
  await writeTree(dir, { 'functions/index.ts': says('other') });
  await git(dir, 'commit', '-q', '-a', '--amend', '-m', 'Rewritten');
  const pushed = await push(dir, '--force', 'main');
  expect(pushed.code).toBe(1);
  expect(pushed.output).toContain('main cannot be rewritten');
  expect(pushed.output).toContain('fnrun rollback force');
  expect(await remoteHead(remote)).toBe(before);
  expect(await said('force')).toBe('one');
});

test('push to master deploys while there is no main', async () => {
  const { dir, remote } = await makeApp('master');
  expect((await push(dir, 'main:master')).code).toBe(0);
  expect(await said('master')).toBe('one');
  await change(dir, 'two');
  expect((await push(dir, 'main:master')).code).toBe(0);
  expect(await said('master')).toBe('two');
  await change(dir, 'three');
  expect((await push(dir, 'main')).code).toBe(0);
  expect(await said('master')).toBe('three');
  await change(dir, 'four');
  expect((await push(dir, 'main:master')).output).toContain('http://master--master.localhost');
  expect(await remoteHead(remote)).not.toBe(await git(dir, 'rev-parse', 'HEAD'));
});

test('two pushes at once end with one live and the other told why', async () => {
  const { dir } = await makeApp('race');
  await push(dir, 'main');
  const other = join(folder, 'race-other');
  await git(folder, 'clone', '-q', '-b', 'main', join(server.home, 'apps/race/repo.git'), other);
  await git(other, 'remote', 'rename', 'origin', 'fnrun');
  await change(dir, 'left');
  await change(other, 'right');
  const results = await Promise.all([push(dir, 'main'), push(other, 'main')]);
  const codes = results.map(({ code }) => code);
  expect(
    codes.toSorted((a, b) => (a ?? 0) - (b ?? 0)),
    results.map(({ output }) => output).join('\n'),
  ).toEqual([0, 1]);
  expect(results.find(({ code }) => code === 1)?.output).toMatch(
    /main has moved to [0-9a-f]{7} while this push was waiting/,
  );
  expect(await said('race')).toBe(codes[0] === 0 ? 'left' : 'right');
});

test('symbolic link in a push is rejected, path named', async () => {
  const { dir } = await makeApp('link');
  await symlink('/etc/passwd', join(dir, 'functions/secret.txt'));
  await commitAll(dir, 'Link');
  const pushed = await push(dir, 'main');
  expect(pushed.code).toBe(1);
  expect(pushed.output).toContain('functions/secret.txt is a symbolic link');
});

const apps = (...args: string[]) => runCli(['apps', ...args, '--home', server.home, '--json']);

test('an app deploys the branch that was set for it, and others get previews', async () => {
  const made = await apps('create', 'release', '--branch', 'release/live');
  expect(JSON.parse(made.stdout)).toMatchObject({ branch: 'release/live' });
  const { dir } = await makeTree('release');
  const stored = await push(dir, 'main');
  expect(stored.code, stored.output).toBe(0);
  expect(stored.output).toContain('http://main--release.localhost');
  const live = await push(dir, 'main:release/live');
  expect(live.output).toMatch(/remote: live {8}http/);
  expect(await said('release')).toBe('one');
  await change(dir, 'two');
  const set = await apps('set', 'release', '--branch', 'main');
  expect(JSON.parse(set.stdout)).toMatchObject({ branch: 'main' });
  expect((await push(dir, 'main:release/live')).output).toContain('http://release-live--release.localhost');
  expect(await said('release')).toBe('one');
  expect((await push(dir, 'main')).code).toBe(0);
  expect(await said('release')).toBe('two');
});

test.each(['-x', 'a..b', 'a b', 'x.lock', '', '/a', 'a/', 'a~1'])(
  'the name %j cannot be the branch that deploys',
  async (name) => {
    const refused = await runCli(['apps', 'create', 'nobranch', `--branch=${name}`, '--home', server.home]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('cannot be a branch');
  },
);

test('push from a shallow clone goes live on top of what is there, and is rejected where history is missing', async () => {
  const { dir, remote } = await makeApp('shallow');
  await push(dir, 'main');
  await change(dir, 'two');
  await push(dir, 'main');
  const clone = join(folder, 'shallow-clone');
  await git(folder, 'clone', '-q', '--depth=1', `file://${remote}`, clone);
  await git(clone, 'remote', 'rename', 'origin', 'fnrun');
  await change(clone, 'three');
  expect((await push(clone, 'main')).code).toBe(0);
  expect(await said('shallow')).toBe('three');
  const other = await makeApp('deep');
  const pushed = await tryGit(clone, ['push', other.remote, 'main']);
  expect(pushed.code).toBe(1);
  expect(pushed.output).toContain('shallow update not allowed');
});
