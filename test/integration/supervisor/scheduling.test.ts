import { Agent } from 'node:http';
import { readdir, readFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/deadline.ts';
import { startHost, type TestHost } from '../../support/host.ts';
import { fetchFrom } from '../../support/http.ts';

const computeMs = 30;
const modules = {
  '/quick': `export default () => new Response('quick');`,
  '/slow': `export default () => {
    for (const end = performance.now() + ${computeMs}; performance.now() < end;);
    return new Response('slow');
  };`,
};

/** The policies of a process's threads, by their names in sched(7). */
async function policies(pid: number): Promise<Set<string>> {
  const found = new Set<string>();
  for (const tid of await readdir(`/proc/${pid}/task`)) {
    const stat = await readFile(`/proc/${pid}/task/${tid}/stat`, 'utf8').catch(() => null);
    // Field 41; the name, the second, may hold blanks.
    const number = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[38];
    if (number !== undefined) found.add({ '0': 'SCHED_OTHER', '3': 'SCHED_BATCH' }[number] ?? number);
  }
  return found;
}

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
  eventually(async () => [...(await policies(pid))].join() === policy, { deadlineMs: 30_000 });

test(
  'threads let each other finish while requests are many and quick, and no more when one computes',
  { timeout: 90_000 },
  async () => {
    const host = await startHost();
    await host.deploy(modules);
    const pid = host.host.status().pid!;
    expect(await policies(pid)).toEqual(new Set(['SCHED_OTHER']));

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
