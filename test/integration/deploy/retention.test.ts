import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink, utimes } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isLinked, markLinked, unmarkUnlinked } from '../../../builder/dependencies/install.ts';
import { startDaemon } from '../../../cli/daemon.ts';
import type { DeploymentsBody } from '../../../router/control/types.ts';
import { deployLimits } from '../../../runtime/contract/limits.ts';
import { eventually } from '../../support/deadline.ts';
import { commitAll, git, initRepository } from '../../support/git.ts';
import { fetchFrom } from '../../support/http.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

const kept = deployLimits.releasesKeptMin;

test('releases that nobody can need any more are deleted, the live one never', { timeout: 60_000 }, async () => {
  await using dir = await makeTempDir('fn-');
  const home = join(dir.path, 'h');
  await writeTree(home, { 'config.json': JSON.stringify({ releasesKept: kept }) });
  const daemon = await startDaemon({ home, listen: null, version: '0', log: () => {} });
  await using _stop = { [Symbol.asyncDispose]: () => daemon.stop() };
  const control = { socketPath: join(home, 'run/control.sock') };
  const post = (path: string, body: unknown) =>
    fetchFrom(control, { method: 'POST', path, body: JSON.stringify(body) });
  await post('/v1/apps', { name: 'hello' });
  const app = join(dir.path, 'app');
  await writeTree(app, { 'functions/index.ts': '' });
  await initRepository(app);
  const count = kept + 3;
  const pushed = async (text: string) => {
    await writeTree(app, { 'functions/index.ts': `export default () => new Response('${text}');\n` });
    await commitAll(app, text);
    await git(app, 'push', '-q', join(home, 'apps/hello/repo.git'), 'main');
  };
  const quarantine = (name: string) => join(home, 'apps/hello/repo.git/objects', `tmp_objdir-incoming-${name}`);
  await mkdir(quarantine('old'));
  await mkdir(quarantine('new'));
  const longAgo = new Date(Date.now() - deployLimits.quarantineMs - 1_000);
  await utimes(quarantine('old'), longAgo, longAgo);
  for (let n = 0; n < count; n += 1) await pushed(`n${n}`);

  const releases = () => readdir(join(home, 'apps/hello/releases'));
  const left = await eventually(async () => {
    const names = await releases();
    return names.length === kept + 1 ? names : null;
  });
  await eventually(() => !existsSync(quarantine('old')));
  expect(existsSync(quarantine('new'))).toBe(true);
  const response = await fetchFrom(control, { path: '/v1/apps/hello/deployments' });
  const { deployments } = response.json() as DeploymentsBody;
  const newest = deployments.slice(0, kept + 1).map((one) => one.release);
  expect(left.toSorted()).toEqual(newest.toSorted());

  const oldest = newest.at(-1) ?? '';
  expect((await post('/v1/apps/hello/rollback', { release: oldest })).status).toBe(200);
  await pushed('after');
  expect((await post('/v1/apps/hello/rollback', { release: oldest })).status).toBe(200);
  const answer = await fetchFrom({ socketPath: join(home, 'run/hello.sock') }, { path: '/' });
  expect(answer.text).toBe('n2');
  const gone = deployments.at(-1)?.release ?? '';
  expect((await post('/v1/apps/hello/rollback', { release: gone })).json()).toMatchObject({
    code: 'FN_NO_SUCH_RELEASE',
  });
});

test(
  'variables and manifests of releases that are gone are deleted, the code that they shared is not',
  { timeout: 60_000 },
  async () => {
    await using dir = await makeTempDir('fn-');
    const home = join(dir.path, 'h');
    await writeTree(home, { 'config.json': JSON.stringify({ releasesKept: kept }) });
    const daemon = await startDaemon({ home, listen: null, version: '0', log: () => {} });
    await using _stop = { [Symbol.asyncDispose]: () => daemon.stop() };
    const control = { socketPath: join(home, 'run/control.sock') };
    const post = (path: string, body: unknown) =>
      fetchFrom(control, { method: 'POST', path, body: JSON.stringify(body) });
    await post('/v1/apps', { name: 'hello' });
    const app = join(dir.path, 'app');
    await writeTree(app, { 'functions/index.ts': 'export default () => new Response(process.env.N);\n' });
    await initRepository(app);
    await commitAll(app, 'An app');
    await post('/v1/apps/hello/env', { set: { N: 'first' } });
    await git(app, 'push', '-q', join(home, 'apps/hello/repo.git'), 'main');
    const count = kept + 3;
    for (let n = 0; n < count; n += 1) {
      const answer = await post('/v1/apps/hello/env', { set: { N: String(n) } });
      expect(answer.json()).toMatchObject({ changed: true, deployment: { state: 'succeeded', live: true } });
    }

    const db = new DatabaseSync(join(home, 'state.db'), { readOnly: true });
    const left = kept + 1;
    expect(db.prepare('SELECT count(*) AS n FROM envs').get()).toEqual({ n: left });
    expect(db.prepare('SELECT count(*) AS n, count(DISTINCT build) AS builds FROM releases').get()).toEqual({
      n: left,
      builds: 1,
    });
    db.close();
    const [build = '', ...others] = await readdir(join(home, 'apps/hello/releases'));
    expect(others).toEqual([]);
    const manifests = (await readdir(join(home, 'apps/hello/releases', build))).filter((name) =>
      name.startsWith('manifest.'),
    );
    expect(manifests).toHaveLength(left + 1);
    const response = await fetchFrom(control, { path: '/v1/apps/hello/deployments' });
    const { deployments } = response.json() as DeploymentsBody;
    expect((await post('/v1/apps/hello/rollback', { release: deployments[left - 1]?.release })).status).toBe(200);
    const answer = await fetchFrom({ socketPath: join(home, 'run/hello.sock') }, { path: '/' });
    expect(answer.text).toBe(String(count - left));
    expect((await post('/v1/apps/hello/rollback', { release: deployments[left]?.release })).status).toBe(404);
  },
);
test('packages that no release links to any more may leave the cache', async () => {
  await using dir = await makeTempDir('fn-');
  const cacheDir = join(dir.path, 'cache');
  const releasesDir = join(dir.path, 'releases');
  const modules = (name: string) => join(cacheDir, 'deps', name, 'node_modules');
  await mkdir(join(releasesDir, 'r1'), { recursive: true });
  await mkdir(join(releasesDir, 'r2'));
  for (const name of ['used', 'unused']) {
    await mkdir(modules(name), { recursive: true });
    await markLinked(modules(name));
  }
  await symlink(modules('used'), join(releasesDir, 'r1/node_modules'));
  await unmarkUnlinked({ cacheDir, releasesDir });
  expect(isLinked(join(cacheDir, 'deps/used'))).toBe(true);
  expect(isLinked(join(cacheDir, 'deps/unused'))).toBe(false);
  expect(existsSync(modules('unused'))).toBe(true);
});
