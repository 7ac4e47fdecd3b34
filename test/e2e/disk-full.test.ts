import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PushStep } from '../../deploy/steps.ts';
import type { HealthBody } from '../../router/control/server-types.ts';
import type { DeploymentBody, DeploymentsBody } from '../../router/control/types.ts';
import { runCli, startCli, type RunningCli } from '../support/cli.ts';
import { eventually } from '../support/deadline.ts';
import { commitAll, git, initRepository, tryGit, type GitResult } from '../support/git.ts';
import { fetchFrom } from '../support/http.ts';
import { makeSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { makeTempDir, writeTree, type TempDir } from '../support/temp-dir.ts';

const megabyte = 1_000_000;

let disk: SmallDisk;
let work: TempDir;
let home: string;
let server: RunningCli | null = null;
let version = 0;

beforeAll(async () => {
  disk = await makeSmallDisk({ bytes: 120 * megabyte });
  work = await makeTempDir('fn-');
  home = join(disk.path, 'h');
  await initRepository(work.path);
  await start();
  await runCli(['apps', 'create', 'full', '--home', home], { wrap: disk.wrap });
  await deploy();
});

afterAll(async () => {
  await server?.stop();
  await work?.remove();
  await disk?.[Symbol.asyncDispose]();
});

beforeEach(() => disk.free());

async function start(stopAt?: PushStep): Promise<void> {
  await server?.stop();
  const env: Record<string, string> = stopAt === undefined ? {} : { FNRUN_TEST_STOP_AT: stopAt };
  server = await startCli(['serve', '--home', home, '--listen', '127.0.0.1:0'], { wrap: disk.wrap, env });
}

const push = (): Promise<GitResult> =>
  tryGit(work.path, ['push', join(home, 'apps/full/repo.git'), 'main'], {}, disk.wrap);
const socket = (name: string) => ({ socketPath: join(disk.outside, 'h/run', name) });
const ask = async (path: string) => (await fetchFrom(socket('control.sock'), { path })).json();
const said = async (): Promise<string> => (await fetchFrom(socket('full.sock'), { path: '/' })).text;
const ref = () => readFile(join(disk.outside, 'h/apps/full/repo.git/refs/heads/main'), 'utf8');

async function newest(): Promise<DeploymentBody | undefined> {
  return ((await ask('/v1/apps/full/deployments')) as DeploymentsBody).deployments[0];
}

async function change(files: Record<string, Uint8Array> = {}): Promise<string> {
  version += 1;
  const source = `export default () => new Response('v${version}');\n`;
  await writeTree(work.path, { 'functions/index.ts': source, ...files });
  return await commitAll(work.path, `v${version}`);
}

/** Pushes a change, which must go live. */
async function deploy(): Promise<string> {
  await change();
  const pushed = await push();
  expect(pushed.code, pushed.output).toBe(0);
  expect(await eventually(said)).toBe(`v${version}`);
  return `v${version}`;
}

/** Pushes a change, and fills the disk while the server is stopped at `step`. */
async function pushFilledAt(step: PushStep): Promise<GitResult> {
  await start(step);
  const { pid } = (await ask('/v1/health')) as HealthBody;
  await change();
  const pushing = push();
  await eventually(async () => /^State:\s+T/m.test(await readFile(`/proc/${pid}/status`, 'utf8')), {
    deadlineMs: 15_000,
  });
  // The tree is being removed by then, which would make room again.
  if (step === 'checked' || step === 'activate') {
    await rm(join(disk.outside, 'h/apps/full/build'), { recursive: true, force: true });
  }
  await disk.take();
  process.kill(pid, 'SIGCONT');
  return await pushing;
}

test('23: a push that does not fit is rejected before its build, with what it needs and what there is', async () => {
  const live = await said();
  const before = await ref();
  await change({ 'public/large.bin': Buffer.alloc(10 * megabyte, 1) });
  await disk.take({ leave: 50 * megabyte });
  const pushed = await push();
  expect(pushed.code).toBe(1);
  expect(pushed.output).toMatch(
    /remote: rejected {4}the disk of the server has \d\d MB free, and this push needs 88 MB\s*\nremote: what to do {2}free some space/,
  );
  expect([await said(), await ref()]).toEqual([live, before]);
  expect(await newest()).toMatchObject({ state: 'failed', step: 'export' });
  await disk.free();
  await git(work.path, 'rm', '-q', 'public/large.bin');
  await deploy();
});

test('23: a disk that is full when a push comes has git reject it, and the next push works', async () => {
  const live = await said();
  const before = await ref();
  await change({ 'random.bin': crypto.getRandomValues(new Uint8Array(60_000)) });
  await disk.take();
  const pushed = await push();
  expect(pushed.code, pushed.output).toBe(1);
  expect(pushed.output).toMatch(/No space left on device|The disk of the server is full/);
  expect([await said(), await ref()]).toEqual([live, before]);
  await disk.free();
  await deploy();
});

test.each(['build', 'check', 'checked'] as const)(
  '23: a disk that gets full at the step %s has the push rejected with that reason, and the next push works',
  async (step) => {
    const live = await said();
    const before = await ref();
    const pushed = await pushFilledAt(step);
    expect(pushed.code, pushed.output).toBe(1);
    expect(pushed.output).toContain('remote: rejected    The disk of the server is full');
    expect([await said(), await ref()]).toEqual([live, before]);
    await disk.free();
    await deploy();
    // What could not be recorded then is recorded now.
    const { deployments } = (await ask('/v1/apps/full/deployments')) as DeploymentsBody;
    expect(deployments[1]).toMatchObject({ state: 'failed', error: 'The disk of the server is full' });
  },
);

test('23: a disk that gets full after the ref has moved keeps the new release live, and its record follows', async () => {
  const pushed = await pushFilledAt('activate');
  expect(pushed.code, pushed.output).toBe(0);
  expect(pushed.output).toContain(
    'warning     that this is live cannot be recorded yet: The disk of the server is full',
  );
  expect(await said()).toBe(`v${version}`);
  expect((await ref()).trim()).toBe(await git(work.path, 'rev-parse', 'HEAD'));
  await disk.free();
  await start();
  expect(await said()).toBe(`v${version}`);
  expect(await newest()).toMatchObject({ state: 'succeeded', live: true });
  await deploy();
});
