import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { spawn, type ChildProcess } from 'node:child_process';
import { execPath } from 'node:process';
import { describe, expect, onTestFinished, test } from 'vitest';
import { asUser } from '../../../runtime/supervisor/privileges.ts';
import { Scheduler } from '../../../runtime/supervisor/scheduler.ts';
import { eventually } from '../../support/deadline.ts';
import { policiesOf } from '../../support/proc.ts';

const nobody = 65_534;

interface Started {
  child: ChildProcess;
  pid: number;
}

/** Starts `command`, which ends with `sleep`, and waits until it is that: what comes before changes the user. */
async function start([program = '', ...args]: readonly string[]): Promise<Started> {
  const child = spawn(program, args, { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const pid = child.pid!;
  await eventually(async () => (await readFile(`/proc/${pid}/cmdline`, 'utf8')).startsWith('sleep'));
  return { child, pid };
}

/** A scheduler of a process, and what it is told. */
function schedulerOf({ child, pid }: Started, user: { id: number } | null) {
  const refusals: string[] = [];
  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return { scheduler: new Scheduler({ pid, user, isGone, onRefused: (why) => refusals.push(why) }), refusals };
}

async function setAndBack(process: Started, user: { id: number } | null): Promise<void> {
  const { scheduler, refusals } = schedulerOf(process, user);
  await scheduler.set('batch');
  expect([await policiesOf(process.pid), refusals]).toEqual([['SCHED_BATCH'], []]);
  void scheduler.set('other');
  void scheduler.set('batch');
  await scheduler.set('other');
  expect([await policiesOf(process.pid), refusals]).toEqual([['SCHED_OTHER'], []]);
}

test('policy of a process is set, one change after the other', async () => {
  await setAndBack(await start(['sleep', '60']), null);
});

describe.runIf(process.getuid?.() === 0)('with users of their own', () => {
  test('policy of a process is set in the name of its user', async () => {
    await setAndBack(await start(asUser(nobody, ['sleep', '60'])), { id: nobody });
  });

  test('a refusal is told once, in the words of the kernel; the process goes on as it is', async () => {
    const process = await start(['sleep', '60']);
    const { scheduler, refusals } = schedulerOf(process, { id: nobody });
    await scheduler.set('batch');
    await scheduler.set('batch');
    expect(refusals).toEqual([expect.stringContaining('Operation not permitted')]);
    expect(await policiesOf(process.pid)).toEqual(['SCHED_OTHER']);
  });
});

test('threads that come and go meanwhile do not keep it from being set', async () => {
  const program = `
    const { Worker } = require('node:worker_threads');
    const start = () => new Worker('', { eval: true }).on('exit', start);
    for (let i = 0; i < 4; i++) start();
    process.title = 'sleep';`;
  const process = await start([execPath, '-e', program]);
  const { scheduler, refusals } = schedulerOf(process, null);
  // One that began while the change was made may have missed it, and is soon gone.
  const has = (policy: string) => eventually(async () => (await policiesOf(process.pid)).join() === policy);
  for (let i = 0; i < 20; i++) {
    await scheduler.set('batch');
    await has('SCHED_BATCH');
    await scheduler.set('other');
    await has('SCHED_OTHER');
  }
  expect(refusals).toEqual([]);
});

test('nothing is told of a process that has ended', async () => {
  const process = await start(['sleep', '60']);
  process.child.kill();
  await once(process.child, 'exit');
  const { scheduler, refusals } = schedulerOf(process, null);
  await scheduler.set('batch');
  expect(refusals).toEqual([]);
});
