import { Agent } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/deadline.ts';
import { startHost, type TestHost } from '../../support/host.ts';
import { fetchFrom } from '../../support/http.ts';
import { policiesOf } from '../../support/proc.ts';

const computeMs = 30;
const modules = {
  '/quick': `export default () => new Response('quick');`,
  '/slow': `export default () => {
    for (const end = performance.now() + ${computeMs}; performance.now() < end;);
    return new Response('slow');
  };`,
};

/** Sends requests one after the other in each of `lanes`, until the test ends or it is told to stop. */
function drive({ target }: TestHost, { path, lanes }: { path: string; lanes: number }) {
  const agent = new Agent({ keepAlive: true, maxSockets: lanes });
  const counted = { ok: 0, failed: 0 };
  let stopped = false;
  const lane = async (): Promise<void> => {
    while (!stopped) {
      const status = await fetchFrom(target, { path, agent }).then(
        (response) => response.status,
        () => 0,
      );
      if (status === 200) counted.ok++;
      else counted.failed++;
    }
  };
  const all = Promise.all(Array.from({ length: lanes }, lane));
  const stop = async (): Promise<typeof counted> => {
    stopped = true;
    await all;
    agent.destroy();
    return counted;
  };
  onTestFinished(async () => void (await stop()));
  return { stop };
}

const becomes = (pid: number, policy: string): Promise<unknown> =>
  eventually(async () => (await policiesOf(pid)).join() === policy, { deadlineMs: 30_000 });

test(
  'threads let each other finish while requests are many and quick, and no more when one computes',
  { timeout: 90_000 },
  async () => {
    const host = await startHost();
    await host.deploy(modules);
    const pid = host.host.status().pid!;
    expect(await policiesOf(pid)).toEqual(['SCHED_OTHER']);

    const quick = drive(host, { path: '/quick', lanes: 32 });
    await becomes(pid, 'SCHED_BATCH');

    // The quick ones go on meanwhile.
    const slow = drive(host, { path: '/slow', lanes: 1 });
    await becomes(pid, 'SCHED_OTHER');

    const counts = [await quick.stop(), await slow.stop()];
    for (const { ok, failed } of counts) expect([ok > 0, failed]).toEqual([true, 0]);
    expect(host.logs.filter(({ level }) => level !== 'info')).toEqual([]);
  },
);
