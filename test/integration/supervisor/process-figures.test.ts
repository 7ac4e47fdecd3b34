import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { eventually } from '../../support/deadline.ts';
import { appLimits } from '../../../runtime/contract/limits.ts';
import { countOpenFiles, readCpuMs, readFigures } from '../../../runtime/supervisor/process-figures.ts';
import { descendantsOf, readProcesses, recentProcesses } from '../../../runtime/supervisor/process-table.ts';
import type { ProcessIds } from '../../../runtime/supervisor/process-table.ts';
import { ProcessWatch } from '../../../runtime/supervisor/process-watch.ts';

const descendants = (pid: number, known: ProcessIds = new Map()): ProcessIds =>
  descendantsOf(pid, { table: readProcesses(), known });

/** A shell in a session of its own, which runs `script` and says "up". */
async function startShell(script: string): Promise<ChildProcessByStdio<Writable, Readable, null>> {
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => {
    for (const pid of descendants(child.pid!).keys()) process.kill(pid, 'SIGKILL');
    child.kill('SIGKILL');
  });
  await once(child.stdout, 'data');
  return child;
}

const shell = async (script: string): Promise<number> => (await startShell(script)).pid!;

test('figures of a process are those of /proc', () => {
  const own = readFigures(process.pid)!;
  expect(own.rssBytes).toBeGreaterThan(20_000_000);
  expect(own.threads).toBeGreaterThan(4);
  expect(countOpenFiles(process.pid)).toBeGreaterThan(3);
  const before = readCpuMs(process.pid)!;
  for (let i = 0, sum = 0; readCpuMs(process.pid)! - before < 30; i++) sum += Math.sqrt(i);
  expect(readFigures(2 ** 22 + 1)).toBeNull();
});

test('descendants are found through children, and in the session when they have lost their parent', async () => {
  // One child; one whose parent ends at once; one that is in a session of its own.
  const pid = await shell('sleep 300 & (sleep 301 &) ; setsid sleep 302 & echo up; wait');
  await eventually(() => descendants(pid).size === 3);
  const known = descendants(pid);
  process.kill(pid, 'SIGKILL');
  // What left the session is an orphan now, and known from before only.
  await eventually(() => descendants(pid).size === 2);
  expect(new Set(descendants(pid, known).keys())).toEqual(new Set(known.keys()));
  for (const one of known.keys()) process.kill(one, 'SIGKILL');
  await eventually(() => descendants(pid, known).size === 0);
});

test('a watch does not forget what it has seen for a look at the machine that began before', async () => {
  // What it starts is in a session of its own: an orphan that is not known is never found.
  const parent = await startShell('echo up; read line; setsid sleep 303 & wait');
  const pid = parent.pid!;
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const looked = Promise.withResolvers<void>();
  const judge = (): null => {
    looked.resolve();
    return null;
  };
  const watch = new ProcessWatch({ pid, judge, children: true, onExceeded: () => {} });
  onTestFinished(() => watch.stop());
  // The look that the watch takes next: it is new enough, and knows no child.
  await recentProcesses({ maxAgeMs: 0 });
  parent.stdin.write('start\n');
  const child = await eventually(() => watch.descendants()[0]);
  vi.advanceTimersByTime(appLimits.watchMs);
  await looked.promise;
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  expect(watch.descendants()).toEqual([child]);
  process.kill(child, 'SIGKILL');
});

test('an id that is used again is not the process that had it', () => {
  const known = new Map([[process.ppid, '1']]);
  expect(descendants(2 ** 22 + 1, known).size).toBe(0);
});

test('a table read a few at a time has what one read at once has', async () => {
  const table = await recentProcesses({ maxAgeMs: 0 });
  expect(table.all.get(process.pid)).toEqual(readProcesses().all.get(process.pid));
  expect(recentProcesses({ maxAgeMs: 60_000 })).toBe(recentProcesses({ maxAgeMs: 60_000 }));
});
