import { availableParallelism } from 'node:os';
import { readFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli, startCli, type CliResult } from '../support/cli.ts';
import { eventually } from '../support/deadline.ts';
import { makeGate, type Gate } from '../support/gate.ts';
import { commitAll, git } from '../support/git.ts';
import { descendantNamed, parentOf } from '../support/proc.ts';
import { writeTree } from '../support/temp-dir.ts';
import { change, type Deploy, type GitFixture, push, remoteHead, says, startGitFixture } from './git-fixture.ts';

let fixture: GitFixture;

beforeAll(async () => {
  fixture = await startGitFixture();
});

afterAll(() => fixture[Symbol.asyncDispose]());

const deploys = (...args: string[]): Promise<CliResult> => runCli(['deploys', ...args, '--home', fixture.server.home]);

/** Makes an app that is live, and commits a change that waits at a gate while it is loaded. */
async function makeGated(name: string): Promise<{ dir: string; remote: string; gate: Gate }> {
  const app = await fixture.makeApp(name);
  expect((await push(app.dir, 'main')).code).toBe(0);
  const gate = await makeGate();
  await changeGated(app.dir, { gate, text: 'gated' });
  return { ...app, gate };
}

async function changeGated(dir: string, { gate, text }: { gate: Gate; text: string }): Promise<string> {
  await writeTree(dir, { 'functions/index.ts': gate.wait + says(text) });
  return await commitAll(dir, `Say ${text}`);
}

async function newest(app: string): Promise<Deploy> {
  const [deploy] = await fixture.deploys(app);
  if (deploy === undefined) throw new Error(`${app} has no deployment`);
  return deploy;
}

test('a deployment under way can be read and followed by anyone', async () => {
  const { dir, gate } = await makeGated('followed');
  const pushing = push(dir, 'main');
  await gate.arrived(1);
  expect(await newest('followed')).toMatchObject({ state: 'running', step: 'check' });
  expect((await deploys('followed', '--log')).stdout).toMatch(/^bundled .*\n$/);
  await using follower = await startCli(['deploys', 'followed', '--follow', '--home', fixture.server.home], {
    ready: /bundled/,
  });
  gate.open();
  expect((await pushing).code).toBe(0);
  const { code, stdout } = await follower.waitForExit();
  expect(stdout).toMatch(/^bundled .*\nboot check .*\n(?:switched .*\n)?live .*\ntotal .*\n$/);
  expect(code).toBe(0);
  // The same can be read and followed when it is over.
  expect((await deploys('followed', '--follow')).stdout).toBe(stdout);
  expect((await deploys('followed', (await newest('followed')).id, '--log')).stdout).toBe(stdout);
});

test('a deployment under way is cancelled: the pusher is told in one line, what was live goes on', async () => {
  const { dir, remote, gate } = await makeGated('cancelled');
  const before = await remoteHead(remote);
  const pushing = push(dir, 'main');
  await gate.arrived(1);
  const cancelled = await deploys('cancelled', '--cancel');
  expect(cancelled.code, cancelled.stderr).toBe(0);
  const pushed = await pushing;
  expect(pushed.code).toBe(1);
  expect(pushed.output).toContain('remote: cancelled   with fnrun deploys cancelled --cancel; what was live goes on');
  expect(await newest('cancelled')).toMatchObject({
    state: 'cancelled',
    step: 'check',
    error: 'Cancelled by fnrun deploys --cancel',
  });
  expect(await remoteHead(remote)).toBe(before);
  expect(await fixture.said('cancelled')).toBe('one');
  gate.open();
  expect((await push(dir, 'main')).code).toBe(0);
  expect(await fixture.said('cancelled')).toBe('gated');
  const late = await deploys('cancelled', '--cancel');
  expect(late.code).toBe(1);
  expect(late.stderr).toMatch(
    /^fnrun: Deployment \w+ of cancelled has ended: succeeded; to go back .*fnrun rollback cancelled\n$/,
  );
});

test('a push that waits is cancelled without disturbing the one before it', async () => {
  const { dir, gate } = await makeGated('queue');
  const first = push(dir, 'main');
  await gate.arrived(1);
  // Another's work: it does not contain what is being pushed.
  await git(dir, 'checkout', '-q', '-b', 'other', 'HEAD~1');
  await change(dir, 'other');
  const second = push(dir, 'other:main');
  const waiting = await eventually(async () => (await fixture.deploys('queue')).find((one) => one.step === 'queued'));
  expect((await deploys('queue', waiting.id, '--log')).stdout).toContain('waiting     for another deployment of queue');
  expect((await deploys('queue', waiting.id, '--cancel')).code).toBe(0);
  expect((await second).output).toContain('cancelled   with fnrun deploys queue --cancel');
  gate.open();
  expect((await first).code).toBe(0);
  expect(await fixture.said('queue')).toBe('gated');
});

test('a rollback under way is cancelled', async () => {
  const { dir, gate } = await makeGated('unback');
  gate.open();
  expect((await push(dir, 'main')).code).toBe(0);
  await change(dir, 'last');
  expect((await push(dir, 'main')).code).toBe(0);
  gate.shut();
  const rollback = runCli(['rollback', 'unback', '--home', fixture.server.home]);
  await gate.arrived(1);
  expect((await deploys('unback', '--cancel')).code).toBe(0);
  const { code, stderr } = await rollback;
  expect(code).toBe(1);
  expect(stderr).toBe('fnrun: The rollback was cancelled with fnrun deploys unback --cancel; what was live goes on\n');
  expect(await newest('unback')).toMatchObject({ state: 'cancelled', source: 'rollback' });
  expect(await fixture.said('unback')).toBe('last');
  gate.open();
  expect((await runCli(['rollback', 'unback', '--home', fixture.server.home])).code).toBe(0);
  expect(await fixture.said('unback')).toBe('gated');
});

test('a newer push takes the place of the one being built when it contains it, and of one that waits', async () => {
  const { dir, gate } = await makeGated('newest');
  const first = push(dir, 'main');
  await gate.arrived(1);
  await git(dir, 'checkout', '-q', '-b', 'other', 'HEAD~1');
  await change(dir, 'other');
  const second = push(dir, 'other:main');
  await eventually(async () => (await fixture.deploys('newest')).find((one) => one.step === 'queued'));
  await git(dir, 'checkout', '-q', 'main');
  const commit = await change(dir, 'three');
  const pushing = push(dir, 'main');
  const older = [await first, await second];
  // What was being loaded is not waited for by the older pusher, but by the newer one.
  gate.open();
  const third = await pushing;
  expect(third.code, third.output).toBe(0);
  const told = `remote: superseded  by a newer push of main (${commit.slice(0, 7)}), which is deployed instead`;
  for (const { code, output } of older) {
    expect(code).toBe(1);
    expect(output).toContain(told);
  }
  expect(await fixture.said('newest')).toBe('three');
  expect((await fixture.deploys('newest')).map(({ state }) => state)).toEqual([
    'succeeded',
    'cancelled',
    'cancelled',
    'succeeded',
  ]);
});

test.skipIf(availableParallelism() < 2)('deployments of different apps are built at the same time', async () => {
  const gate = await makeGate();
  const apps = await Promise.all(['left', 'right'].map((name) => fixture.makeApp(name)));
  for (const { dir } of apps) await changeGated(dir, { gate, text: 'both' });
  const pushing = apps.map(({ dir }) => push(dir, 'main'));
  await gate.arrived(2);
  gate.open();
  expect((await Promise.all(pushing)).map(({ code }) => code)).toEqual([0, 0]);
});

/** Starts a push and resolves with its process when its module has come to the gate. */
async function pushToGate(dir: string, gate: Gate) {
  const pusher = spawn('git', ['push', 'fnrun', 'main'], { cwd: dir, stdio: 'ignore' });
  const ended = once(pusher, 'exit');
  await gate.arrived(1);
  return { pid: pusher.pid ?? 0, ended };
}

/** The record and the log of a push that has failed with `why`; the next push goes on at once. */
async function leftNothing(
  app: string,
  { dir, remote, gate, why }: { dir: string; remote: string; gate: Gate; why: string },
): Promise<void> {
  const failed = await eventually(async () => (await fixture.deploys(app)).find((one) => one.state === 'failed'));
  expect(failed.error).toBe(why);
  const told = (await deploys(app, failed.id, '--log')).stdout;
  expect(told).toMatch(/^bundled .*\nrejected {4}the pusher has gone .*\nwhat to do {2}push again\n$/);
  expect(await remoteHead(remote)).not.toBe(await git(dir, 'rev-parse', 'HEAD'));
  expect(await fixture.said(app)).toBe('one');
  gate.open();
  const pushed = await push(dir, 'main');
  expect(pushed.code, pushed.output).toBe(0);
  expect(pushed.output).not.toContain('waiting');
  expect(await fixture.said(app)).toBe('gated');
}

const gone = 'the pusher has gone before it was accepted';

test('22: a hook that is killed ends its push, and leaves a record, its log and no lock', async () => {
  const app = await makeGated('unhooked');
  const { pid, ended } = await pushToGate(app.dir, app.gate);
  process.kill(await descendantNamed(pid, 'hook.js'), 'SIGKILL');
  expect((await ended)[0]).toBe(1);
  await leftNothing('unhooked', { ...app, why: gone });
});

test('22: a git on the server that is killed ends its push, and leaves a record, its log and no lock', async () => {
  const app = await makeGated('ungitted');
  const { pid, ended } = await pushToGate(app.dir, app.gate);
  const hook = await descendantNamed(pid, 'hook.js');
  process.kill(await parentOf(hook), 'SIGKILL');
  await ended;
  await leftNothing('ungitted', { ...app, why: gone });
});

// git lets the hook end before it looks for its client again.
test.each(['quiet', 'noisy'])(
  '22: a client that is killed in a %s build has its push go live, with record and log',
  async (name) => {
    const { dir, remote, gate } = await makeGated(name);
    const { pid, ended } = await pushToGate(dir, gate);
    process.kill(pid, 'SIGKILL');
    if (name === 'quiet') await ended;
    gate.open();
    await eventually(async () => (await fixture.said(name)) === 'gated');
    const done = await eventually(async () => (await fixture.deploys(name)).find((one) => one.live));
    expect((await deploys(name, done.id, '--log')).stdout).toMatch(
      /^bundled .*\nboot check .*\n(?:switched .*\n)?live .*\ntotal .*\n$/,
    );
    expect(await remoteHead(remote)).toBe(await git(dir, 'rev-parse', 'HEAD'));
    await change(dir, 'next');
    const pushed = await push(dir, 'main');
    expect(pushed.code, pushed.output).toBe(0);
    expect(await fixture.said(name)).toBe('next');
  },
);

test('what was told is on disk line by line, whatever becomes of the server', async () => {
  const { dir, gate } = await makeGated('ondisk');
  const pushing = push(dir, 'main');
  await gate.arrived(1);
  const { id } = await newest('ondisk');
  const file = join(fixture.server.home, 'logs/ondisk.deployments', `${id}.log`);
  expect(await readFile(file, 'utf8')).toMatch(/^bundled .*\n$/);
  gate.open();
  await pushing;
});
