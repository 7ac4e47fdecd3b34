import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/deadline.ts';
import { countOpenFiles, descendantsOf, readCpuMs, readFigures } from '../../../runtime/supervisor/process-figures.ts';

/** A shell in a session of its own, which runs `script` and says "up". */
async function shell(script: string): Promise<number> {
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    for (const pid of descendantsOf(child.pid!, { known: new Map(), maxAgeMs: 0 }).keys()) process.kill(pid, 'SIGKILL');
    child.kill('SIGKILL');
  });
  await once(child.stdout, 'data');
  return child.pid!;
}

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
  await eventually(() => descendantsOf(pid, { known: new Map(), maxAgeMs: 0 }).size === 3);
  const known = descendantsOf(pid, { known: new Map(), maxAgeMs: 0 });
  process.kill(pid, 'SIGKILL');
  // What left the session is an orphan now, and known from before only.
  await eventually(() => descendantsOf(pid, { known: new Map(), maxAgeMs: 0 }).size === 2);
  expect(new Set(descendantsOf(pid, { known, maxAgeMs: 0 }).keys())).toEqual(new Set(known.keys()));
  for (const one of known.keys()) process.kill(one, 'SIGKILL');
  await eventually(() => descendantsOf(pid, { known, maxAgeMs: 0 }).size === 0);
});

test('an id that is used again is not the process that had it', () => {
  const known = new Map([[process.ppid, '1']]);
  expect(descendantsOf(2 ** 22 + 1, { known, maxAgeMs: 0 }).size).toBe(0);
});
