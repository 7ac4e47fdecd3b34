import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { startDaemon, type Daemon } from '../../cli/daemon.ts';
import { homePaths } from '../../deploy/paths.ts';
import { openSqliteStore } from '../../deploy/store/sqlite.ts';
import type { Store } from '../../deploy/store/store.ts';
import type { DeploymentBody, DeploymentsBody } from '../../router/control/types.ts';
import { eventually } from '../support/deadline.ts';
import { commitAll, git, initRepository, tryGit } from '../support/git.ts';
import { fetchFrom } from '../support/http.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

let home: string;
let app: string;
let daemon: Daemon | null;

const says = (text: string): string => `export default () => new Response(${JSON.stringify(text)});\n`;

beforeEach(async () => {
  const dir = await makeTempDir('fn-');
  home = join(dir.path, 'h');
  app = join(dir.path, 'app');
  await writeTree(app, { 'functions/index.ts': says('one') });
  await initRepository(app);
  await git(app, 'remote', 'add', 'fnrun', join(home, 'apps/hello/repo.git'));
  await commitAll(app, 'One');
  await start();
  await fetchFrom(control(), { method: 'POST', path: '/v1/apps', body: '{"name":"hello"}' });
  return async () => {
    await daemon?.stop();
    await dir.remove();
  };
});

const control = () => ({ socketPath: join(home, 'run/control.sock') });
const push = () => tryGit(app, ['push', 'fnrun', 'main']);

async function start(): Promise<void> {
  daemon = await startDaemon({ home, listen: null, version: '0', log: () => {} });
}

async function stop(): Promise<void> {
  await daemon?.stop();
  daemon = null;
}

async function change(text: string): Promise<string> {
  await writeTree(app, { 'functions/index.ts': says(text) });
  return await commitAll(app, text);
}

async function answer(): Promise<string> {
  return (await fetchFrom({ socketPath: join(home, 'run/hello.sock') }, { path: '/' })).text;
}

async function deployments(): Promise<DeploymentBody[]> {
  const response = await fetchFrom(control(), { path: '/v1/apps/hello/deployments' });
  return (response.json() as DeploymentsBody).deployments;
}

/** Works on the state of a server that is down. */
async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
  const store = openSqliteStore(homePaths(home).stateFile);
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

/** The state as it is when the server dies after accepting the newest push, before switching to it. */
async function forgetSwitch(store: Store): Promise<void> {
  const [newest, before] = await store.listDeployments('hello', { limit: 2 });
  if (newest === undefined || before === undefined) throw new Error('two deployments are needed');
  await store.goLive(before.id, { finishedAtMs: 2, durationMs: 1 });
  await store.updateDeployment(newest.id, { state: 'running', step: 'accepted', finishedAtMs: null, durationMs: null });
}

test('an accepted push whose ref has moved goes live when the server starts', async () => {
  expect((await push()).code).toBe(0);
  await change('two');
  expect((await push()).code).toBe(0);
  await stop();
  await withStore(forgetSwitch);
  await start();
  expect(await answer()).toBe('two');
  expect(await deployments()).toMatchObject([
    { state: 'succeeded', live: true },
    { state: 'succeeded', live: false },
  ]);
});

test('an accepted push whose ref has not moved fails when the server starts', async () => {
  await push();
  const first = await git(app, 'rev-parse', 'HEAD');
  await change('two');
  await push();
  await stop();
  await withStore(forgetSwitch);
  await git(join(home, 'apps/hello/repo.git'), 'update-ref', 'refs/heads/main', first);
  await start();
  expect(await answer()).toBe('one');
  expect(await deployments()).toMatchObject([
    { state: 'failed', live: false },
    { state: 'succeeded', live: true },
  ]);
  expect((await push()).code).toBe(0);
  expect(await answer()).toBe('two');
});

test('a deployment that was under way when the server ended has failed, and its leftovers are gone', async () => {
  await push();
  await stop();
  const leftovers = join(home, 'apps/hello/releases/0123456789abcdef');
  await writeTree(leftovers, { 'manifest.json': '{' });
  await writeTree(join(home, 'apps/hello/build/x'), { a: 'a' });
  await withStore(async (store) => {
    const [live] = await store.listDeployments('hello', { limit: 1 });
    if (live === undefined) throw new Error('a deployment is needed');
    await store.createDeployment({ ...live, id: 'f'.repeat(16), release: null, state: 'running', step: 'build' });
  });
  await start();
  expect(await answer()).toBe('one');
  expect(await deployments()).toMatchObject([
    { state: 'failed', error: 'The server ended during this deployment (build)' },
    { live: true },
  ]);
  await expect(rm(leftovers, { recursive: true })).rejects.toMatchObject({ code: 'ENOENT' });
});

/** The state that a server leaves which started between the acceptance of the newest push and the move of its ref. */
async function failAccepted(store: Store): Promise<void> {
  await forgetSwitch(store);
  const [newest] = await store.listDeployments('hello', { limit: 1 });
  const error = 'The server ended during this deployment';
  await store.updateDeployment(newest?.id ?? '', { state: 'failed', error });
}

test('a post-receive hook that comes to a restarted server makes its push live', async () => {
  await push();
  const first = await git(app, 'rev-parse', 'HEAD');
  const commit = await change('two');
  await push();
  await stop();
  await withStore(failAccepted);
  const repository = join(home, 'apps/hello/repo.git');
  await git(repository, 'update-ref', 'refs/heads/main', first);
  await start();
  expect(await answer()).toBe('one');
  await git(repository, 'update-ref', 'refs/heads/main', commit);
  const updates = [{ old: first, new: commit, ref: 'refs/heads/main' }];
  const body = JSON.stringify({ updates, color: false });
  const told = await fetchFrom(control(), { method: 'POST', path: '/v1/apps/hello/activate', body });
  expect(told.text).toContain('"ok":true');
  expect(await answer()).toBe('two');
  expect((await deployments())[0]).toMatchObject({ state: 'succeeded', live: true, error: null });
});

test('a push whose ref moved while the server started goes live though no hook could tell', async () => {
  await push();
  await change('two');
  await push();
  await stop();
  await withStore(failAccepted);
  await start();
  await eventually(async () => (await answer()) === 'two');
  // The record follows the switch.
  const records = await eventually(async () => {
    const all = await deployments();
    return all[0]?.live === true ? all : null;
  });
  expect(records[0]).toMatchObject({ state: 'succeeded', live: true, error: null });
});

test('a pusher who is gone during the boot check leaves a record, and the next push goes on at once', async () => {
  await push();
  const before = await git(app, 'rev-parse', 'HEAD');
  const slow = 'await new Promise((resolve) => setTimeout(resolve, 700));\n';
  await writeTree(app, { 'functions/index.ts': slow + says('slow') });
  await commitAll(app, 'Slow');
  // A group of its own: git starts receive-pack, which starts the hook; all are ended at once.
  const pusher = spawn('git', ['push', 'fnrun', 'main'], {
    cwd: app,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  for await (const text of pusher.stderr.setEncoding('utf8')) {
    said += text;
    if (said.includes('bundled')) break;
  }
  process.kill(-(pusher.pid ?? 0), 'SIGKILL');
  await once(pusher, 'exit');
  const failed = await eventually(async () => (await deployments()).find((one) => one.state === 'failed'));
  expect(failed.error).toContain('the pusher has gone');
  expect(await git(join(home, 'apps/hello/repo.git'), 'rev-parse', 'main')).toBe(before);
  expect(await answer()).toBe('one');
  await change('three');
  expect((await push()).code).toBe(0);
  expect(await answer()).toBe('three');
});

test('a server that is stopped during a build rejects the push and records it', async () => {
  await push();
  const slow = 'await new Promise((resolve) => setTimeout(resolve, 5_000));\n';
  await writeTree(app, { 'functions/index.ts': slow + says('slow') });
  await commitAll(app, 'Slow');
  const pushing = push();
  await eventually(async () => (await deployments()).some((one) => one.state === 'running'));
  await stop();
  const pushed = await pushing;
  expect(pushed.code, pushed.output).toBe(1);
  await start();
  expect(await answer()).toBe('one');
  expect(await deployments()).toMatchObject([{ state: 'failed' }, { live: true }]);
});

test('a host that dies during the boot check rejects the push and serves on', async () => {
  await push();
  await writeTree(app, { 'functions/index.ts': `process.kill(process.pid, 'SIGKILL');\n${says('never')}` });
  await commitAll(app, 'Suicide');
  const pushed = await push();
  expect(pushed.code, pushed.output).toBe(1);
  expect(pushed.output).toMatch(/the app host of hello .*SIGKILL.* while the functions were loaded/);
  expect(pushed.output).toContain('in what changed (index)');
  expect(await eventually(answer)).toBe('one');
});

test('the record of a push that is refused before its tree is read has the subject and the author', async () => {
  await symlink('/etc/passwd', join(app, 'link'));
  await commitAll(app, 'A link');
  expect((await push()).code).not.toBe(0);
  expect(await deployments()).toMatchObject([
    {
      state: 'failed',
      subject: 'A link',
      author: expect.stringContaining('@'),
      error: expect.stringContaining('link'),
    },
  ]);
});
