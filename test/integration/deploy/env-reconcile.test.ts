import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemon, type Daemon } from '../../../cli/daemon.ts';
import { releaseId } from '../../../deploy/env/release-id.ts';
import { createEnvVault } from '../../../deploy/env/vault.ts';
import { openSqliteStore } from '../../../deploy/store/sqlite.ts';
import type { DeploymentRecord, ReleaseRecord, Store } from '../../../deploy/store/store.ts';
import type { DeploymentsBody, EnvBody } from '../../../router/control/types.ts';
import { commitAll, git, initRepository } from '../../support/git.ts';
import { fetchFrom } from '../../support/http.ts';
import { makeTempDir, writeTree, type TempDir } from '../../support/temp-dir.ts';

let dir: TempDir;
let home: string;
let daemon: Daemon;

const control = () => ({ socketPath: join(home, 'run/control.sock') });
const get = async <T>(path: string): Promise<T> => (await fetchFrom(control(), { path })).json() as T;
const post = (path: string, body: unknown) =>
  fetchFrom(control(), { method: 'POST', path, body: JSON.stringify(body) });
const start = async (): Promise<void> => {
  daemon = await startDaemon({ home, listen: null, version: '0', log: () => {} });
};

beforeAll(async () => {
  dir = await makeTempDir('fn-');
  home = join(dir.path, 'h');
  await start();
  await post('/v1/apps', { name: 'shop' });
  await post('/v1/apps/shop/env', { set: { TOKEN: 'old value', OTHER: 'old other' } });
  const app = join(dir.path, 'app');
  await writeTree(app, {
    'functions/index.ts': 'export default () => Response.json([process.env.TOKEN, process.env.OTHER]);\n',
  });
  await initRepository(app);
  await commitAll(app, 'An app');
  await git(app, 'push', '-q', join(home, 'apps/shop/repo.git'), 'main');
});
afterAll(async () => {
  await daemon?.stop();
  await dir?.remove();
});

interface Cut {
  store: Store;
  live: DeploymentRecord;
  release: ReleaseRecord;
  begun: DeploymentRecord;
}

const accept = async ({ store, release, begun }: Cut): Promise<void> => {
  await store.createDeployment(begun);
  await store.acceptDeployment(begun.id, release, {});
};

test.each<[string, 'old' | 'new', (cut: Cut) => Promise<void>]>([
  ['the variables are stored', 'old', async () => {}],
  ['the deployment is on record', 'old', async ({ store, begun }) => store.createDeployment(begun)],
  ['the release has passed its boot check', 'old', accept],
  [
    'it is live',
    'new',
    async (cut) => {
      await accept(cut);
      await cut.store.goLive(cut.begun.id, { finishedAtMs: 5, durationMs: 1 });
    },
  ],
])('a server that ended after %s starts with the %s variables', async (_, which, cut) => {
  await daemon.stop();
  const store = openSqliteStore(join(home, 'state.db'));
  const vault = createEnvVault({ store, keyFile: join(home, 'secret.key'), now: Date.now });
  const app = (await store.getApp('shop'))!;
  const change = { set: { TOKEN: 'new value', OTHER: 'new other' }, unset: [] };
  const env = await vault.change({ app: 'shop', id: app.env }, change);
  const live = (await store.getDeployment(app.liveDeployment!))!;
  const base = (await store.getRelease('shop', live.release!))!;
  const release = { ...base, env, id: releaseId({ build: base.build, env }) };
  const id = Date.now().toString(16).padStart(12, '0') + 'ffff';
  const unfinished = { state: 'running', finishedAtMs: null, durationMs: null } as const;
  const begun = { ...live, ...unfinished, id, source: 'env', step: 'check', release: release.id } as const;
  await cut({ store, live, release, begun });
  await store.close();

  await start();
  const values = [`${which} value`, `${which} other`];
  expect((await fetchFrom({ socketPath: join(home, 'run/shop.sock') }, { path: '/' })).json()).toEqual(values);
  const { variables } = await get<EnvBody>('/v1/apps/shop/env?values=1');
  expect(variables.map(({ value }) => value)).toEqual(values.toReversed());
  const { deployments } = await get<DeploymentsBody>('/v1/apps/shop/deployments');
  expect(deployments.filter((one) => one.state === 'running')).toEqual([]);
  expect(deployments.find((one) => one.live)).toMatchObject({ source: which === 'old' ? 'push' : 'env' });
});
