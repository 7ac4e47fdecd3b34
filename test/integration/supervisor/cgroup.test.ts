import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { resolveAppLimits, tasksOf } from '../../../runtime/contract/app-limits.ts';
import { openCgroups, settingsOf } from '../../../runtime/supervisor/cgroup.ts';
import type { Cgroups } from '../../../runtime/supervisor/cgroup.ts';
import { eventually } from '../../support/deadline.ts';
import { startHost } from '../../support/host.ts';
import { fetchFrom } from '../../support/http.ts';

/** A cgroup of this test's own, where the machine lets us make one; else why not. */
function openTestCgroups(): Cgroups | { why: string } {
  const mount = /^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1];
  if (mount === undefined) return { why: 'no cgroup2 is mounted' };
  const own = join(mount, `fnrun-test-${process.pid}`);
  try {
    mkdirSync(own);
  } catch (error) {
    return { why: (error as Error).message };
  }
  onTestFinished(async () => {
    await eventually(() => {
      for (const name of readdirSync(own, { withFileTypes: true }))
        if (name.isDirectory()) rmdirSync(join(own, name.name));
      rmdirSync(own);
      return true;
    });
  });
  // Joining and killing is what every cgroup2 can; memory and pids are held where the controllers are.
  return openCgroups({ own, needed: [] });
}

test('host and all it starts are in its cgroup, and end with it', async () => {
  const cgroups = openTestCgroups();
  if ('why' in cgroups) {
    // Nothing to see here but that it is told.
    expect(cgroups.why).not.toBe('');
    return;
  }
  const { target, deploy, host } = await startHost({ cgroups });
  const start = `import { spawn } from 'node:child_process';
    export default () => {
      // Neither child nor in the session nor ever seen: only the cgroup knows of it.
      spawn('sh', ['-c', 'setsid sleep 86397 &'], { detached: true, stdio: 'ignore' });
      return new Response('started');
    }`;
  await deploy({ '/': start }, { permissions: { childProcess: true } });
  expect(host.status().use).toMatchObject({ heldBy: 'cgroup' });
  expect((await fetchFrom(target, { path: '/' })).text).toBe('started');
  const [group] = readdirSync(cgroups.dir).filter((name) => name.startsWith('app-test.'));
  const procs = (): string[] =>
    readFileSync(join(cgroups.dir, group!, 'cgroup.procs'), 'utf8')
      .split('\n')
      .filter(Boolean);
  const inside = await eventually(() => {
    const pids = procs();
    const settled = !pids.some((pid) => commandOf(pid).startsWith('sh'));
    return settled && pids.some((pid) => commandOf(pid).includes('86397')) ? pids : null;
  });
  expect(inside).toContain(String(host.status().pid));
  process.kill(host.status().pid!, 'SIGKILL');
  await eventually(() => !readdirSync(cgroups.dir).includes(group!));
  expect(inside.filter((pid) => commandOf(pid) !== '')).toEqual([]);
});

test('server does not take over a cgroup that others are in, that is none, or that lacks a controller', () => {
  expect(openCgroups({ own: '/tmp' })).toEqual({ why: '/tmp is the root of all cgroups' });
  const here = openCgroups();
  // The test runner is in it, or it is no cgroup that anybody may use.
  expect('why' in here && here.why).toMatch(/other processes|root of all|no cgroup v2|no memory|not ours/);
});

test('limits are written as the kernel reads them', () => {
  const limits = resolveAppLimits({ memoryMb: 200, cpus: 0.5, threads: 8, processes: 2 }, { machineMb: 1_000 });
  expect(Object.fromEntries(settingsOf(limits))).toEqual({
    'memory.max': String(Math.floor(200 * 2 ** 20 * 1.1)),
    'memory.swap.max': '0',
    'memory.oom.group': '1',
    'pids.max': String(tasksOf(limits)),
    'cpu.max': '50000 100000',
  });
  expect(Object.fromEntries(settingsOf({ ...limits, cpus: null }))['cpu.max']).toBe('max 100000');
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
