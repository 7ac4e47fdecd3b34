import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { git, tryGit } from '../support/git.ts';
import { answer, change } from './git-fixture.ts';
import { startSshFixture, type SshFixture } from './ssh-fixture.ts';

let fixture: SshFixture;

beforeAll(async () => {
  fixture = await startSshFixture();
  await fixture.server.createApp('shop');
});

afterAll(() => fixture[Symbol.asyncDispose]());

const said = (app: string): Promise<string> => answer(fixture.server.appSocket(app));
const deploys = async (app: string): Promise<unknown[]> =>
  JSON.parse((await fixture.here('deploys', app, '--json')).stdout) as unknown[];

test('push over ssh deploys and records key, commit and author', async () => {
  const ann = await fixture.makeLaptop('ann@laptop', 'shop', '--app', 'shop');
  const pushed = await ann.git('push', 'fnrun', 'main');
  expect(pushed.code, pushed.output).toBe(0);
  expect(pushed.output).toMatch(/remote: live {8}http:\/\/shop\./);
  expect(await said('shop')).toBe('one');
  const commit = await git(ann.dir, 'rev-parse', 'HEAD');
  expect(await deploys('shop')).toMatchObject([
    { source: 'push', key: 'ann@laptop', commit, author: 'Test <test@example.invalid>', live: true },
  ]);
  expect((await fixture.here('deploys', 'shop')).stdout).toMatch(/ push \(ann@laptop\) /);
  const clone = join(ann.dir, 'clone');
  const cloned = await ann.git('clone', '-q', fixture.sshd.url('shop.git'), clone);
  expect(cloned.code, cloned.output).toBe(0);
  expect(await git(clone, 'rev-parse', 'HEAD')).toBe(commit);
});

test('push on the server itself is recorded without a key', async () => {
  const remote = await fixture.server.createApp('local');
  const { dir } = await fixture.makeLaptop('of-local', 'local', '--app', 'local');
  expect((await tryGit(dir, ['push', remote, 'main'])).code).toBe(0);
  expect(await deploys('local')).toMatchObject([{ source: 'push', key: null }]);
});

test('key for one app is refused for another in the same words, whether that one is there or not', async () => {
  await fixture.server.createApp('blog');
  const ben = await fixture.makeLaptop('ben', 'blog', '--app', 'shop');
  for (const app of ['blog', 'nobody']) {
    for (const args of [
      ['push', fixture.sshd.url(app), 'main'],
      ['ls-remote', fixture.sshd.url(app)],
    ]) {
      const refused = await ben.git(...args);
      expect(refused.code).not.toBe(0);
      const verb = args[0] === 'push' ? 'push to' : 'look at';
      expect(refused.output).toContain(`fnrun: The key "ben" may not ${verb} ${app}: it may push to shop; `);
    }
  }
  expect(await deploys('blog')).toEqual([]);
});

test('key for branches moves these only, and none of a push that moves others too', async () => {
  await fixture.server.createApp('twig');
  const cleo = await fixture.makeLaptop('cleo', 'twig', '--app', 'twig', '--branch', 'feature/*');
  const repository = join(fixture.server.home, 'apps/twig/repo.git');
  const stored = await cleo.git('push', 'fnrun', 'main:feature/a');
  expect(stored.code, stored.output).toBe(0);
  for (const refs of [['main'], ['main:feature/b', 'main:main'], ['main:refs/tags/v1']]) {
    const refused = await cleo.git('push', 'fnrun', ...refs);
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('the key "cleo" may not push refs/');
    expect(refused.output).toContain('it may push to twig (only feature/*)');
  }
  expect(await git(repository, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/feature/a');
});

test('key for reading clones and pushes nothing', async () => {
  const dora = await fixture.makeLaptop('dora', 'shop', '--all-apps', '--read-only');
  expect((await dora.git('ls-remote', 'fnrun')).code).toBe(0);
  const refused = await dora.git('push', 'fnrun', 'main:topic');
  expect(refused.code).not.toBe(0);
  expect(refused.output).toContain('may not push to shop: it may clone and look at every app');
});

test('first push makes the app for a key that may, which then may push to it', async () => {
  const eve = await fixture.makeLaptop('eve', 'fresh', '--create');
  const pushed = await eve.git('push', 'fnrun', 'main');
  expect(pushed.code, pushed.output).toBe(0);
  expect(pushed.output).toContain('made the app fresh');
  expect(await said('fresh')).toBe('one');
  await change(eve.dir, 'two');
  expect((await eve.git('push', 'fnrun', 'main')).code).toBe(0);
  expect(await said('fresh')).toBe('two');
  expect((await eve.git('push', fixture.sshd.url('shop'), 'main')).output).toContain('may not push to shop');
  // Whoever makes the name anew does not inherit the key.
  await fixture.here('apps', 'remove', 'fresh');
  await fixture.server.createApp('fresh');
  expect((await eve.git('push', 'fnrun', 'main')).output).toContain('may not push to fresh');
});

test('first push is refused for a key that may not make apps, and for a name that cannot be one', async () => {
  const fred = await fixture.makeLaptop('fred', 'new', '--all-apps');
  const refused = await fred.git('push', 'fnrun', 'main');
  expect(refused.code).not.toBe(0);
  expect(refused.output).toContain('fnrun: There is no app "new"; have it made on the server: fnrun apps create new');
  const odd = await fred.git('push', fixture.sshd.url('New_App'), 'main');
  expect(odd.output).toContain('fnrun: the path of a repository is /APP or /APP.git');
  expect((await fixture.here('apps')).stdout).not.toContain('new');
});

test('removal of a key takes effect at once, even for whoever still gets past sshd', async () => {
  const gil = await fixture.makeLaptop('gil', 'shop', '--app', 'shop');
  expect((await gil.git('ls-remote', 'fnrun')).code).toBe(0);
  const file = join(fixture.server.home, 'authorized_keys');
  const line = (await readFile(file, 'utf8')).split('\n').find((one) => one.endsWith('fnrun:gil'));
  const id = /--key ([0-9a-f]{16}) /.exec(line ?? '')?.[1] ?? '';
  expect((await fixture.here('keys', 'remove', 'gil')).stdout).toBe('Removed gil.\n');
  expect((await gil.git('ls-remote', 'fnrun')).output).toContain('Permission denied (publickey)');
  expect(await readFile(file, 'utf8')).not.toContain(id);
  const local = await tryGit(gil.dir, ['push', join(fixture.server.home, 'apps/shop/repo.git'), 'main:topic'], {
    FNRUN_KEY: id,
  });
  expect(local.code).toBe(1);
  expect(local.output).toContain('This ssh key is not one of this server any more');
});

test('push says what is wrong while the server is down', async () => {
  await using own = await startSshFixture();
  await own.server.createApp('shop');
  const hal = await own.makeLaptop('hal', 'shop', '--app', 'shop');
  await own.server.cli.stop();
  const refused = await hal.git('push', 'fnrun', 'main');
  expect(refused.code).not.toBe(0);
  expect(refused.output).toContain('fnrun: The fnrun server cannot be reached: it is not running; ');
});
