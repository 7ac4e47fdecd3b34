import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { launcher, repositoryRoot, runCli } from '../../support/cli.ts';
import { within } from '../../support/deadline.ts';
import { olderNode } from '../../support/older-node.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

const version = /^\d+\.\d+\.\d+\n$/;

/**
 * A package like the installed one, but with a command line that tells what happens to it:
 * `exit N` ends with N, `pour` writes without end, `wait` says its pid and waits for a signal, `ipc` echoes messages.
 */
async function packageWithProbe() {
  const dir = await makeTempDir();
  await writeTree(dir.path, {
    'package.json': '{ "type": "module" }',
    'dist/cli/main.js': `
      export async function main([what, value]) {
        if (what === 'exit') return Number(value);
        if (what === 'fail') throw new Error('on purpose');
        if (what === 'ipc') process.on('message', (message) => process.send({ echo: message }));
        if (what === 'pour') setInterval(() => process.stdout.write('a line\\n'), 1);
        if (what === 'handle') process.on('SIGTERM', () => process.exit(7));
        console.log('pid ' + process.pid);
        return await new Promise(() => setInterval(() => {}, 1000));
      }`,
  });
  await mkdir(join(dir.path, 'cli'));
  await cp(launcher, join(dir.path, 'cli/fnrun.js'));
  await symlink(join(repositoryRoot, 'node_modules'), join(dir.path, 'node_modules'));
  return { ...dir, launcher: join(dir.path, 'cli/fnrun.js') };
}

/** Starts the probe under `node` and resolves when it has said its pid. */
async function startProbe(node: string, args: string[]): Promise<{ child: ChildProcess; pid: number }> {
  const child = spawn(node, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const [text] = (await within(15_000, 'the start', once(child.stdout!.setEncoding('utf8'), 'data'))) as [string];
  return { child, pid: Number(text.slice(4)) };
}

const nodes = [
  ['the Node it needs', process.execPath],
  ...(olderNode === null ? [] : [['an older Node', olderNode] as const]),
] as const;

test.each(nodes)('the launcher runs the CLI when called by %s', async (_name, node) => {
  const { code, stdout } = await runCli(['--version'], { node });
  expect(code).toBe(0);
  expect(stdout).toMatch(version);
});

test.each(nodes)('the launcher passes the exit code on when called by %s', async (_name, node) => {
  await using probe = await packageWithProbe();
  expect(spawnSync(node, [probe.launcher, 'exit', '42']).status).toBe(42);
});

test.each(nodes)('the launcher tells an error in one line when called by %s', async (_name, node) => {
  await using probe = await packageWithProbe();
  const { status, stderr } = spawnSync(node, [probe.launcher, 'fail'], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toBe('fnrun: on purpose\n');
});

test.each(nodes)('the launcher ends by the signal it gets when called by %s', async (_name, node) => {
  await using probe = await packageWithProbe();
  const { child, pid } = await startProbe(node, [probe.launcher, 'wait']);
  child.kill('SIGTERM');
  const [code, signal] = await within(15_000, 'the end', once(child, 'exit'));
  expect([code, signal]).toEqual([null, 'SIGTERM']);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test.each(nodes)('the launcher lets the CLI answer a signal when called by %s', async (_name, node) => {
  await using probe = await packageWithProbe();
  const { child } = await startProbe(node, [probe.launcher, 'handle']);
  child.kill('SIGTERM');
  expect(await within(15_000, 'the end', once(child, 'exit'))).toEqual([7, null]);
});

test.each(nodes)('the launcher passes IPC messages both ways when called by %s', async (_name, node) => {
  await using probe = await packageWithProbe();
  const { child } = await startProbe(node, [probe.launcher, 'ipc']);
  const answered = once(child, 'message');
  child.send('hello');
  expect((await within(15_000, 'the answer', answered))[0]).toEqual({ echo: 'hello' });
  child.kill('SIGTERM');
  await within(15_000, 'the end', once(child, 'exit'));
});

test.each(nodes)('the launcher ends quietly when the reader of its output goes, called by %s', async (_name, node) => {
  await using probe = await packageWithProbe();
  const child = spawn(node, [probe.launcher, 'pour'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text));
  await within(15_000, 'the first line', once(child.stdout, 'data'));
  child.stdout.destroy();
  expect(await within(15_000, 'the end', once(child, 'close'))).toEqual([0, null]);
  expect(stderr).toBe('');
});

test('the launcher starts no second process when its own Node is new enough', async () => {
  await using probe = await packageWithProbe();
  const { child, pid } = await startProbe(process.execPath, [probe.launcher, 'wait']);
  expect(pid).toBe(child.pid);
  child.kill('SIGKILL');
});

test.runIf(olderNode !== null)('the launcher says which Node it needs when npm brought none', async () => {
  await using dir = await makeTempDir();
  await writeTree(dir.path, { 'package.json': '{ "type": "module" }' });
  await mkdir(join(dir.path, 'cli'));
  await cp(launcher, join(dir.path, 'cli/fnrun.js'));
  const { status, stderr } = spawnSync(olderNode!, [join(dir.path, 'cli/fnrun.js')], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^fnrun: this is Node \d+\.\d+\.\d+ and fnrun needs Node 26 or newer; .+\n$/);
});
