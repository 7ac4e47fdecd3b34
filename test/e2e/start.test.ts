import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../support/cli.ts';
import { eventually, within } from '../support/deadline.ts';
import { fetchFrom, targetOf } from '../support/http.ts';
import { makeTempDir } from '../support/temp-dir.ts';

test('npm start pushes the example to a server, takes the next port when one is taken, and leaves nothing', async () => {
  await using dir = await makeTempDir('fnrun-start-');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const child = spawn(process.execPath, [join(repositoryRoot, 'cli/scripts/start.ts')], {
    env: { ...process.env, TMPDIR: dir.path, PORT: String(port), NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (output += text));
  const ready = (): boolean => {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}:\n${output}`);
    return /Ctrl-C ends it/.test(output);
  };
  await eventually(ready, { deadlineMs: 30_000 });
  taken.close();
  expect(output).toMatch(/remote: live /);
  const url = /curl -i (http:\/\/[\d.]+:\d+)\/$/m.exec(output)?.[1] ?? '';
  expect(new URL(url).port).not.toBe(String(port));
  expect((await fetchFrom(targetOf(url), { path: '/hello/you' })).json()).toMatchObject({ hello: 'you' });

  const ended = once(child, 'exit');
  child.kill('SIGINT');
  expect((await within(15_000, 'the end', ended))[0]).toBe(0);
  expect(await readdir(dir.path)).toEqual([]);
  await expect(fetchFrom(targetOf(url), { path: '/' })).rejects.toThrow('ECONNREFUSED');
}, 60_000);

test('npm start leaves nothing when npm is told to end', async () => {
  await using dir = await makeTempDir('fnrun-start-');
  const child = spawn('npm', ['start'], {
    cwd: repositoryRoot,
    env: { ...process.env, TMPDIR: dir.path, PORT: '8400', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (output += text));
  // The line that follows `Created hello` and what to do, which may come in another piece.
  await eventually(() => /answer at \S+\n/.test(output), { deadlineMs: 30_000 });
  const url = /answer at (\S+)/.exec(output)?.[1] ?? '';
  // npm keeps a cache of its own in the folder.
  const left = async () => (await readdir(dir.path)).filter((name) => name.startsWith('fnrun-'));
  expect(await left()).toHaveLength(1);
  child.kill('SIGTERM');
  await eventually(async () => (await left()).length === 0, { deadlineMs: 15_000 });
  await expect(fetchFrom(targetOf(`http://127.0.0.1:${new URL(url).port}`), { path: '/' })).rejects.toThrow(
    'ECONNREFUSED',
  );
}, 60_000);
