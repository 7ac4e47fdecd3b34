import { readdir } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startDaemon } from '../../../cli/daemon.ts';
import type { DeploymentsBody } from '../../../router/control/types.ts';
import { buildLimits } from '../../../runtime/contract/limits.ts';
import { eventually } from '../../support/deadline.ts';
import { commitAll, git, initRepository } from '../../support/git.ts';
import { fetchFrom } from '../../support/http.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

test('releases that nobody can need any more are deleted, the live one never', { timeout: 60_000 }, async () => {
  await using dir = await makeTempDir('fn-');
  const home = join(dir.path, 'h');
  const daemon = await startDaemon({ home, listen: null, version: '0', log: () => {} });
  await using _stop = { [Symbol.asyncDispose]: () => daemon.stop() };
  const control = { socketPath: join(home, 'run/control.sock') };
  const post = (path: string, body: unknown) =>
    fetchFrom(control, { method: 'POST', path, body: JSON.stringify(body) });
  await post('/v1/apps', { name: 'hello' });
  const app = join(dir.path, 'app');
  await writeTree(app, { 'functions/index.ts': '' });
  await initRepository(app);
  const count = buildLimits.releasesKept + 3;
  const pushed = async (text: string) => {
    await writeTree(app, { 'functions/index.ts': `export default () => new Response('${text}');\n` });
    await commitAll(app, text);
    await git(app, 'push', '-q', join(home, 'apps/hello/repo.git'), 'main');
  };
  for (let n = 0; n < count; n += 1) await pushed(`n${n}`);

  const releases = () => readdir(join(home, 'apps/hello/releases'));
  const left = await eventually(async () => {
    const names = await releases();
    return names.length === buildLimits.releasesKept + 1 ? names : null;
  });
  const response = await fetchFrom(control, { path: '/v1/apps/hello/deployments' });
  const { deployments } = response.json() as DeploymentsBody;
  const newest = deployments.slice(0, buildLimits.releasesKept + 1).map((one) => one.release);
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
    const count = buildLimits.releasesKept + 3;
    for (let n = 0; n < count; n += 1) {
      const answer = await post('/v1/apps/hello/env', { set: { N: String(n) } });
      expect(answer.json()).toMatchObject({ changed: true, deployment: { state: 'succeeded', live: true } });
    }

    const db = new DatabaseSync(join(home, 'state.db'), { readOnly: true });
    const kept = buildLimits.releasesKept + 1;
    expect(db.prepare('SELECT count(*) AS n FROM envs').get()).toEqual({ n: kept });
    expect(db.prepare('SELECT count(*) AS n, count(DISTINCT build) AS builds FROM releases').get()).toEqual({
      n: kept,
      builds: 1,
    });
    db.close();
    const [build = '', ...others] = await readdir(join(home, 'apps/hello/releases'));
    expect(others).toEqual([]);
    const manifests = (await readdir(join(home, 'apps/hello/releases', build))).filter((name) =>
      name.startsWith('manifest.'),
    );
    expect(manifests).toHaveLength(kept + 1);
    const response = await fetchFrom(control, { path: '/v1/apps/hello/deployments' });
    const { deployments } = response.json() as DeploymentsBody;
    expect((await post('/v1/apps/hello/rollback', { release: deployments[kept - 1]?.release })).status).toBe(200);
    const answer = await fetchFrom({ socketPath: join(home, 'run/hello.sock') }, { path: '/' });
    expect(answer.text).toBe(String(count - kept));
    expect((await post('/v1/apps/hello/rollback', { release: deployments[kept]?.release })).status).toBe(404);
  },
);
