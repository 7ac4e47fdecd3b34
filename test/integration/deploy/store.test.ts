import { chmodSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../../../deploy/store/sqlite.ts';
import type { DeploymentRecord, EnvVersion, ReleaseRecord, Store } from '../../../deploy/store/store.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

let store: Store;
let file: string;

beforeEach(async () => {
  const dir = await makeTempDir('fn-');
  file = join(dir.path, 'state.db');
  store = openSqliteStore(file);
  return async () => {
    await store.close();
    await dir.remove();
  };
});

test('the store, and what SQLite keeps beside it, is for its owner alone, one from before too', async () => {
  const modes = (): number[] => ['', '-wal', '-shm'].map((end) => statSync(`${file}${end}`).mode & 0o777);
  expect(modes()).toEqual([0o600, 0o600, 0o600]);
  await store.close();
  chmodSync(file, 0o644);
  store = openSqliteStore(file);
  expect(modes()).toEqual([0o600, 0o600, 0o600]);
});

const deployment = (id: string, patch: Partial<DeploymentRecord> = {}): DeploymentRecord => ({
  id,
  app: 'hello',
  release: null,
  commit: 'c'.repeat(40),
  subject: 'A change',
  ref: 'refs/heads/main',
  author: 'Test <test@example.invalid>',
  source: 'push',
  key: null,
  state: 'running',
  step: 'export',
  startedAtMs: 1_000,
  finishedAtMs: null,
  durationMs: null,
  stepsMs: {},
  error: null,
  note: null,
  ...patch,
});

const release = (id: string, parts: Partial<ReleaseRecord> = {}): ReleaseRecord => ({
  app: 'hello',
  id,
  build: id,
  env: null,
  createdAtMs: 5,
  functions: 3,
  domains: ['a.example'],
  ...parts,
});

const env = (id: string): EnvVersion => ({ app: 'hello', id, createdAtMs: 6, variables: { TOKEN: 'sealed' } });

test('store keeps apps over a restart', async () => {
  await store.createApp('hello', { createdAtMs: 7 });
  await store.close();
  store = openSqliteStore(file);
  expect(await store.listApps()).toMatchObject([{ name: 'hello', createdAtMs: 7, liveDeployment: null, branch: null }]);
});

test('store refuses an app that exists', async () => {
  await store.createApp('hello', { createdAtMs: 7 });
  await expect(store.createApp('hello', { createdAtMs: 8 })).rejects.toMatchObject({ code: 'FN_APP_EXISTS' });
});

test('store takes a deployment from its beginning to live', async () => {
  await store.createApp('hello', { createdAtMs: 7 });
  await store.createDeployment(deployment('d1'));
  await store.acceptDeployment('d1', release('r1'), { subject: 'Another' });
  expect(await store.getDeployment('d1')).toEqual(
    deployment('d1', { release: 'r1', step: 'accepted', subject: 'Another' }),
  );
  expect(await store.getRelease('hello', 'r1')).toEqual(release('r1'));
  await store.goLive('d1', { finishedAtMs: 1_200, durationMs: 200 });
  expect((await store.getApp('hello'))?.liveDeployment).toBe('d1');
  expect(await store.getDeployment('d1')).toMatchObject({ state: 'succeeded', step: 'done', durationMs: 200 });
});

test('store lists deployments newest first and trims old ones but never the live one', async () => {
  await store.createApp('hello', { createdAtMs: 7 });
  for (const id of ['d1', 'd2', 'd3', 'd4']) await store.createDeployment(deployment(id));
  await store.goLive('d1', { finishedAtMs: 1, durationMs: 1 });
  expect(await store.trimDeployments('hello', { keep: 2 })).toEqual(['d2']);
  expect((await store.listDeployments('hello', { limit: 10 })).map(({ id }) => id)).toEqual(['d4', 'd3', 'd1']);
  expect(await store.listDeployments('hello', { limit: 1 })).toHaveLength(1);
});

test('store makes the environment of a release the current one when it goes live', async () => {
  await store.createApp('hello', { createdAtMs: 7 });
  await store.saveEnv(env('e1'));
  await store.useEnv('hello', 'e1');
  expect(await store.getApp('hello')).toMatchObject({ env: 'e1' });
  for (const [id, of] of [
    ['d1', release('r1', { build: 'b1', env: 'e1' })],
    ['d2', release('r2', { build: 'b1', env: null })],
  ] as const) {
    await store.createDeployment(deployment(id));
    await store.acceptDeployment(id, of, {});
  }
  await store.goLive('d2', { finishedAtMs: 1, durationMs: 1 });
  expect(await store.getApp('hello')).toMatchObject({ env: null, liveDeployment: 'd2' });
  await store.goLive('d1', { finishedAtMs: 1, durationMs: 1 });
  expect(await store.getApp('hello')).toMatchObject({ env: 'e1', liveDeployment: 'd1' });
  expect(await store.getRelease('hello', 'r1')).toEqual(release('r1', { build: 'b1', env: 'e1' }));
});

test('store removes environments that no release names, never the current one', async () => {
  await store.createApp('hello', { createdAtMs: 7 });
  await store.createApp('other', { createdAtMs: 7 });
  for (const id of ['current', 'released', 'unused']) await store.saveEnv(env(id));
  await store.saveEnv({ ...env('unused'), app: 'other' });
  await store.useEnv('hello', 'current');
  await store.saveRelease(release('r1', { env: 'released' }));
  await store.trimEnvs('hello');
  const left = await Promise.all(['current', 'released', 'unused'].map((id) => store.getEnv('hello', id)));
  expect(left).toEqual([env('current'), env('released'), null]);
  expect(await store.getEnv('other', 'unused')).not.toBeNull();
});

test('store keeps keys with their apps, and takes an app that is removed from them', async () => {
  const key = { name: 'ann', type: 'ssh-ed25519', blob: 'AAAA', fingerprint: 'SHA256:x', createdAtMs: 7 };
  const grant = { apps: ['blog', 'hello'], branches: ['main'], create: true, readOnly: false, admin: false };
  await store.createApp('hello', { createdAtMs: 7 });
  await store.addKey({ id: 'k1', ...key, ...grant });
  await store.addKey({ id: 'k2', ...key, ...grant, name: 'all', blob: 'BBBB', apps: null, branches: null });
  expect(await store.getKey('k1')).toEqual({ id: 'k1', ...key, ...grant });
  await store.grantApp('k1', 'more');
  await store.removeApp('hello');
  expect((await store.listKeys()).map(({ name, apps }) => [name, apps])).toEqual([
    ['all', null],
    ['ann', ['blog', 'more']],
  ]);
  expect([await store.removeKey('ann'), await store.removeKey('ann'), await store.getKey('k1')]).toEqual([
    true,
    false,
    null,
  ]);
});

test('store forgets all of an app that is removed', async () => {
  await store.createApp('hello', { createdAtMs: 7 });
  await store.createDeployment(deployment('d1'));
  await store.saveRelease(release('r1'));
  await store.saveEnv(env('e1'));
  await store.removeApp('hello');
  expect(await store.getApp('hello')).toBeNull();
  expect(await store.getDeployment('d1')).toBeNull();
  expect(await store.listReleases('hello')).toEqual([]);
  expect(await store.getEnv('hello', 'e1')).toBeNull();
});

test('store brings a file of the first version up to date', async () => {
  const old = join(dirname(file), 'old.db');
  const db = new DatabaseSync(old);
  db.exec(`
    CREATE TABLE apps (name TEXT PRIMARY KEY, created_at_ms INTEGER NOT NULL, live_deployment TEXT) STRICT;
    CREATE TABLE releases (
      app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE, id TEXT NOT NULL, created_at_ms INTEGER NOT NULL,
      functions INTEGER NOT NULL, domains TEXT NOT NULL, PRIMARY KEY (app, id)
    ) STRICT;
    CREATE TABLE deployments (
      id TEXT PRIMARY KEY, app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE, release_id TEXT,
      commit_id TEXT NOT NULL, subject TEXT NOT NULL, ref TEXT NOT NULL, author TEXT NOT NULL, source TEXT NOT NULL,
      state TEXT NOT NULL, step TEXT NOT NULL, started_at_ms INTEGER NOT NULL, finished_at_ms INTEGER,
      duration_ms INTEGER, error TEXT
    ) STRICT;
    CREATE INDEX deployments_by_app ON deployments (app, id DESC);
    INSERT INTO apps VALUES ('hello', 7, 'd1');
    INSERT INTO releases VALUES ('hello', 'r1', 5, 3, '["a.example"]');
    INSERT INTO deployments VALUES ('d1', 'hello', 'r1', '${'c'.repeat(40)}', 'A change', 'refs/heads/main', 'T', 'push',
      'succeeded', 'done', 1000, 1200, 200, NULL);
    PRAGMA user_version = 1;`);
  db.close();
  const opened = openSqliteStore(old);
  expect(await opened.getApp('hello')).toMatchObject({ name: 'hello', createdAtMs: 7, liveDeployment: 'd1' });
  expect(await opened.getDeployment('d1')).toMatchObject({ id: 'd1', release: 'r1', state: 'succeeded', error: null });
  // A release of before there were environments is what was built.
  expect(await opened.listReleases('hello')).toEqual([release('r1')]);
  await opened.close();
});

test('store keeps the branch of an app and the times of a deployment', async () => {
  await store.createApp('hello', { createdAtMs: 7 });
  await store.setBranch('hello', 'release/live');
  await store.createDeployment(deployment('d1'));
  await store.goLive('d1', { finishedAtMs: 9, durationMs: 8, stepsMs: { build: 5, check: 3 } });
  await store.close();
  store = openSqliteStore(file);
  expect(await store.getApp('hello')).toMatchObject({ branch: 'release/live' });
  expect(await store.getDeployment('d1')).toMatchObject({ stepsMs: { build: 5, check: 3 } });
});

test('store refuses a file of a newer fnrun', async () => {
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 999');
  db.close();
  expect(() => openSqliteStore(file)).toThrow(/schema is version 999/);
});

test('a name of fnrun.json is of the app that went live with it first, until it does so without it', async () => {
  const goLive = async (app: string, { id, domains }: { id: string; domains: string[] }): Promise<void> => {
    await store.createDeployment(deployment(id, { app }));
    await store.acceptDeployment(id, release(`r-${id}`, { app, domains }), {});
    await store.goLive(id, { finishedAtMs: 1, durationMs: 1, stepsMs: {} });
  };
  const claims = async () => Object.fromEntries(await store.listClaims());
  for (const name of ['a', 'b', 'c']) await store.createApp(name, { createdAtMs: 1 });
  await store.createApp('x--c', { createdAtMs: 1, previewOf: 'c' });
  await goLive('c', { id: '1', domains: ['one.example', 'two.example'] });
  await goLive('x--c', { id: '2', domains: ['preview.example'] });
  await goLive('b', { id: '3', domains: ['one.example', 'three.example'] });
  await goLive('a', { id: '4', domains: ['one.example', 'two.example', 'three.example', 'preview.example'] });
  const first = { 'one.example': 'c', 'two.example': 'c', 'three.example': 'b', 'preview.example': 'a' };
  expect(await claims()).toEqual(first);
  await store.close();
  store = openSqliteStore(file);
  expect(await claims()).toEqual(first);

  // Who lets go of a name has no right to it; whoever has it in a live release goes before one that comes new.
  await goLive('c', { id: '5', domains: [] });
  await goLive('c', { id: '6', domains: ['two.example', 'one.example'] });
  expect(await claims()).toEqual({ ...first, 'one.example': 'a', 'two.example': 'a' });
  await store.removeApp('a');
  await goLive('c', { id: '7', domains: ['one.example', 'two.example'] });
  expect(await claims()).toEqual({ 'one.example': 'b', 'two.example': 'c', 'three.example': 'b' });

  // A home from before has none: who has a name is the first by name, as it was then, whoever deploys first.
  const db = new DatabaseSync(file);
  db.exec('DELETE FROM claims');
  db.close();
  await goLive('c', { id: '8', domains: ['one.example', 'three.example'] });
  expect(await claims()).toEqual({ 'one.example': 'b', 'three.example': 'b' });
});
