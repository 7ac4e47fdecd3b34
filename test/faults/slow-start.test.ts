import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { hostLimits } from '../../runtime/contract/limits.ts';
import { eventually } from '../support/deadline.ts';
import { startHost } from '../support/host.ts';
import { fetchFrom } from '../support/http.ts';

// A process of an app that takes longer to start than it may: because it is stuck, or because others have the CPU.

const modules = { '/': `export default () => new Response('ok')` };

/** What a host process does before anything else. */
const before = (code: string): string[] => ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
const stuck = 'setInterval(() => {}, 1000); await new Promise(() => {})';
const slow = `import { setPriority } from 'node:os'; setPriority(19);
  const used = () => process.cpuUsage().user + process.cpuUsage().system;
  while (used() < 2_500_000);`;

/** Takes the CPU from everybody else; each is of a session of its own, which some kernels share the CPU by. */
function takeCpu(): () => void {
  const takers = Array.from({ length: 4 * availableParallelism() }, () =>
    spawn('/bin/sh', ['-c', 'while :; do :; done'], { detached: true, stdio: 'ignore' }),
  );
  const end = (): void => takers.forEach((taker) => taker.kill('SIGKILL'));
  onTestFinished(end);
  return end;
}

test('one that is stuck is given up in time, and one that waits for the CPU is not', { timeout: 90_000 }, async () => {
  const [stuckOne, slowOne] = await Promise.all([
    startHost({ execArgv: before(stuck) }),
    startHost({ execArgv: before(slow) }),
  ]);
  const freeCpu = takeCpu();
  const began = performance.now();
  const started = slowOne.deploy(modules).then(() => performance.now() - began);
  // It is tried a second time, which is cut short below.
  void stuckOne.deploy(modules).catch(() => {});
  await delay(hostLimits.startMs + 1_000);
  freeCpu();
  // Otherwise it had the CPU after all.
  expect(await started).toBeGreaterThan(hostLimits.startMs);
  expect(slowOne.host.status()).toMatchObject({ restarts: 0, exits: [] });
  const { reason } = await eventually(() => stuckOne.host.status().exits[0]);
  expect(reason).toMatch(/^it did not start within \d+ ms$/);
  process.kill(stuckOne.host.status().pid!, 'SIGKILL');
  expect((await fetchFrom(slowOne.target, { path: '/' })).text).toBe('ok');
});
