import { gatewayLimits } from '../../runtime/contract/limits.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { openLoop } from '../bench/load/run-open-loop.ts';
import { median } from '../bench/measure.ts';
import { startNeighbours } from '../faults/support/neighbours.ts';
import { eventually } from '../support/deadline.ts';
import { fetchFrom } from '../support/http.ts';
import { printTrends, printVerdict, usageLine } from './report.ts';
import { startSoakApp, type SoakApp } from './soak-app.ts';
import { settled, usageOf, type Usage } from './usage.ts';

const deployEveryMs = 5_000;
const killEveryMs = 1_000;
const peakTries = 5;
const connections = 256;
const sampleEveryMs = 5_000;
/** Of an idle server, more or less: kept workers, the prober's connections. */
const filesSlack = 32;
/** Shown, and not judged. */
const warmUpMs = 60_000;

/**
 * The rate that the app carries when it is offered more than it can, over as many connections as later. The median of some
 * tries, since one of them may find two thirds or twice of it.
 */
async function findPeak(url: string): Promise<number> {
  const found: number[] = [];
  for (let i = 0; i < peakTries; i++) {
    const { goodput } = await openLoop(url, { requestsPerSecond: 30_000, seconds: 5, connections });
    found.push(goodput);
  }
  return median(found);
}

/** Calls `act` again and again, a round of it every `everyMs`, until `signal` aborts. */
async function every(everyMs: number, signal: AbortSignal, act: (round: number) => Promise<void>): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    const started = performance.now();
    await act(round);
    await delay(Math.max(0, everyMs - (performance.now() - started)), undefined, { signal }).catch(() => {});
  }
}

/** Ends a thread: four times by process.exit(), then by a loop until its timeout. Resolves with what its request got. */
async function kill(app: SoakApp, round: number): Promise<string> {
  const path = round % 5 === 4 ? '/loop?now' : '/exit?now';
  const answer = fetchFrom(app.serve.gateway, { method: 'POST', path, deadlineMs: 30_000 });
  return await answer.then(
    ({ status, text }) => `${status} ${/FN_\w+/.exec(text)?.[0]}`,
    (error: Error) => error.message,
  );
}

/** Half load for minutes, with deployments and deaths of threads; whether all went as promised. */
export async function halfLoad({ minutes }: { minutes: number }): Promise<boolean> {
  await using app = await startSoakApp();
  const url = `${app.url}/version`;
  const peak = await findPeak(url);
  const requestsPerSecond = Math.round(peak / 2);
  console.log(`peak ${Math.round(peak)} requests/s; ${requestsPerSecond} requests/s for ${minutes} minutes`);

  const hostPid = (await app.ps()).pid!;
  const samples: Record<'daemon' | 'host', Usage[]> = { daemon: [], host: [] };
  const kills: Record<string, number> = {};
  let deployments = 0;
  const over = new AbortController();
  await using posts = await startNeighbours([
    {
      name: 'POST',
      method: 'POST',
      at: app.serve.gateway,
      path: '/steady',
      host: 'soak.localhost',
      body: '{"app":"soak"}',
    },
  ]);
  const before = await Promise.all([usageOf(app.daemonPid), usageOf(hostPid)]);
  const startedAt = performance.now();
  const { result: load, during } = await posts.during(async () => {
    const work = [
      every(deployEveryMs, over.signal, async () => {
        await app.push(String(++deployments));
      }),
      every(killEveryMs, over.signal, async (round) => {
        const outcome = await kill(app, round);
        kills[outcome] = (kills[outcome] ?? 0) + 1;
      }),
      every(sampleEveryMs, over.signal, async () => {
        const [daemon, host] = await Promise.all([usageOf(app.daemonPid), usageOf(hostPid)]);
        samples.daemon.push(daemon);
        samples.host.push(host);
        const seconds = Math.round((performance.now() - startedAt) / 1000);
        console.log(`  ${String(seconds).padStart(5)} s  daemon ${usageLine(daemon)}; host ${usageLine(host)}`);
      }),
    ];
    const offered = openLoop(url, { requestsPerSecond, seconds: minutes * 60, connections });
    // A failed push ends it early.
    const result = await Promise.race([offered, Promise.all(work).then(() => offered)]);
    over.abort();
    await Promise.all(work);
    return result;
  });

  console.log(
    `\n  answers ${JSON.stringify(load.outcomes)}; latency p50 ${load.ok.p50}, p99 ${load.ok.p99}, max ${load.ok.max} ms`,
  );
  console.log(`  POSTs   ${during['POST']!.requests}, p99 ${during['POST']!.p99.toFixed(1)} ms`);
  console.log(`  ${deployments} deployments; requests that ended their thread: ${JSON.stringify(kills)}`);
  const warmUp = warmUpMs / sampleEveryMs;
  const judged = { daemon: settled(samples.daemon, { warmUp }), host: settled(samples.host, { warmUp }) };
  // How many connections are open follows the load; afterwards there must be none left of it.
  const flat = printTrends(judged, ['rssMb', 'threads']);
  const closed = await eventually(
    async () => {
      const after = await Promise.all([usageOf(app.daemonPid), usageOf(hostPid)]);
      return after.every(({ fds }, index) => fds <= before[index]!.fds + filesSlack);
    },
    { deadlineMs: gatewayLimits.freeSocketMs + 30_000, everyMs: 1_000 },
  ).catch(() => false);
  const failed = Object.entries(load.outcomes).filter(([outcome]) => outcome !== '200');
  return printVerdict([
    ['no request failed but those that ended their thread', failed.length === 0 && during['POST']!.failures === 0],
    [
      'each request that ended its thread was told so',
      Object.keys(kills).every((outcome) => /^50[234] FN_/.test(outcome)),
    ],
    ['the app host was never replaced', (await app.ps()).pid === hostPid],
    ['memory and threads are flat', flat],
    ['no file and no connection is left open', closed],
  ]);
}
