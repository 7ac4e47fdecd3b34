import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '../support/cli.ts';
import { eventually } from '../support/deadline.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { ask, push } from './support/app.ts';
import { provisioned, setUp } from './support/provision.ts';
import type { Vm } from './support/vm.ts';

// Another version of fnrun is installed while the app of a machine is asked without a pause.

const clients = 4;
/** Between two requests of a client: the machine has a setup to do besides. */
const pauseMs = 100;
const execute = promisify(execFile);

let vm: Vm;
beforeAll(async () => {
  vm = await provisioned();
  const { code, stderr } = await push(vm, 'steady', {
    'functions/index.ts': `export default async (request) => {
      const body = await request.text();
      await new Promise((resolve) => setTimeout(resolve, 20));
      return Response.json({ pid: process.pid, body });
    };`,
  });
  if (code !== 0) throw new Error(`the push ended with ${code}:\n${stderr}`);
  // nginx gets the site of a new app by a service of root's, which the push does not wait for.
  await eventually(async () => (await ask(vm, 'steady', '/')).status === 200, { deadlineMs: 120_000, everyMs: 500 });
});
afterAll(() => vm?.remove());

/** Clients that ask again soon after they have an answer, each time on a connection of its own, every other time by POST. */
function startLoad(): { stop: () => Promise<{ asked: number; failures: string[]; pids: Set<number> }> } {
  const failures: string[] = [];
  const pids = new Set<number>();
  let asked = 0;
  let running = true;
  const client = async (): Promise<void> => {
    while (running) {
      const body = asked++ % 2 === 0 ? `request ${asked}` : '';
      try {
        const answer = await ask(vm, 'steady', '/', { body });
        if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
        const echo = JSON.parse(answer.body) as { pid: number; body: string };
        if (echo.body !== body) throw new Error(`"${body}" came back as "${echo.body}"`);
        pids.add(echo.pid);
      } catch (error) {
        failures.push(`${new Date().toISOString()} ${String(error)}`);
      }
      await delay(pauseMs);
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return {
    stop: async () => {
      running = false;
      await all;
      return { asked, failures, pids };
    },
  };
}

const current = async (): Promise<string> => (await vm.sh('readlink /opt/fnrun/current')).trim();
const daemon = async (): Promise<string> =>
  (await vm.sh('readlink /proc/$(systemctl show -P MainPID fnrun)/exe')).trim();

test('an upgrade and a downgrade of fnrun drop no request', async () => {
  // The same code under another version: other bytes, and so another folder on the machine.
  await using tree = await makeTempDir('fnrun-next-');
  const parts = ['dist', 'docs', 'cli/fnrun.js', 'node_modules'];
  await execute('cp', ['-al', '--parents', ...parts, tree.path], { cwd: repositoryRoot });
  const description = JSON.parse(await readFile(join(repositoryRoot, 'package.json'), 'utf8')) as { version: string };
  await writeFile(join(tree.path, 'package.json'), JSON.stringify({ ...description, version: '99.0.0' }));
  const before = await current();

  const load = startLoad();
  const upgrade = await setUp(vm, [], { tree: tree.path });
  const upgraded = [await current(), await daemon()];
  const downgrade = await setUp(vm);
  const downgraded = [await current(), await daemon()];
  const { asked, failures, pids } = await load.stop();

  const seconds = [upgrade.ms, downgrade.ms].map((ms) => Math.round(ms / 1000));
  console.log(`${asked} requests in an upgrade of ${seconds[0]} s and a downgrade of ${seconds[1]} s`);
  expect(upgraded[0]).toMatch(/^99\.0\.0-/);
  expect(upgraded[1]).toContain(upgraded[0]);
  expect(downgraded[0]).toBe(before);
  expect(downgraded[1]).toContain(before);
  expect(failures).toEqual([]);
  expect(asked).toBeGreaterThan(100);
  // Another process of the app in each, the server that stands in for a moment not counted.
  expect(pids.size).toBeGreaterThanOrEqual(3);
});
