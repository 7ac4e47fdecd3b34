import { setTimeout as delay } from 'node:timers/promises';
import type { DeploymentsBody } from '../../router/control/types.ts';
import { eventually } from '../support/deadline.ts';
import { fetchFrom, type HttpRequest } from '../support/http.ts';
import { printTrends, printVerdict, usageLine } from './report.ts';
import { startSoakApp, type SoakApp } from './soak-app.ts';
import { settled, usageOf, type Usage } from './usage.ts';

/** How much to do. */
export interface ChurnOptions {
  /** Threads that end by `process.exit()` in a handler. */
  kills: number;
  /** Switches between two releases. */
  swaps: number;
  /** Called with what the host uses, some thirty times, evenly spread. */
  onSample?: (line: string) => void;
}

/** What was left of it; the samples are those after the warm-up. */
export interface ChurnResult {
  daemon: Usage[];
  host: Usage[];
  hostReplaced: boolean;
}

/** Functions that are killed in turn. */
const victims = 6;
const rounds = 30;

/** The files of the functions that are killed. */
export function victimFiles(): Record<string, string> {
  const source = `export default (request: Request) =>
    request.url.endsWith('?now') ? process.exit(1) : new Response('fine');\n`;
  return Object.fromEntries(Array.from({ length: victims }, (_, index) => [`functions/v${index}/index.ts`, source]));
}

/** Kills threads and switches releases, and looks in between at what daemon and host use. */
export async function churn(app: SoakApp, { kills, swaps, onSample }: ChurnOptions): Promise<ChurnResult> {
  await app.push('1');
  const { deployments } = (await app.control('GET', '/v1/apps/soak/deployments?limit=2')) as DeploymentsBody;
  const releases = deployments.map(({ release }) => release!);
  const hostPid = (await app.ps()).pid!;
  const result: ChurnResult = { daemon: [], host: [], hostReplaced: false };
  let killed = 0;
  let swapped = 0;
  for (let round = 1; round <= rounds; round++) {
    while (killed < (kills * round) / rounds) {
      const path = `/v${killed++ % victims}`;
      // One that answers between its deaths is not taken for one that cannot work, and closed for a while.
      await expectAnswer(app, { path, answer: 'fine' });
      await expectAnswer(app, { method: 'POST', path: `${path}?now`, answer: 'FN_WORKER_DIED' });
    }
    while (swapped < (swaps * round) / rounds) {
      const which = ++swapped % 2;
      await app.control('POST', '/v1/apps/soak/rollback', { release: releases[which] });
      // Newest first: the second was pushed before the first.
      await expectAnswer(app, { path: '/version', answer: `version ${1 - which}` });
    }
    await settle(hostPid);
    const [daemon, host] = [await usageOf(app.daemonPid), await usageOf(hostPid)];
    result.daemon.push(daemon);
    result.host.push(host);
    onSample?.(`${killed} kills, ${swapped} swaps: daemon ${usageLine(daemon)}; host ${usageLine(host)}`);
  }
  const warmUp = rounds / 10;
  result.daemon = settled(result.daemon, { warmUp });
  result.host = settled(result.host, { warmUp });
  result.hostReplaced = (await app.ps()).pid !== hostPid;
  return result;
}

async function expectAnswer(app: SoakApp, { answer, ...request }: HttpRequest & { answer: string }): Promise<void> {
  const { status, text } = await fetchFrom(app.serve.gateway, { ...request, deadlineMs: 30_000 });
  if (!text.includes(answer)) throw new Error(`${request.path}: ${status} ${text}, and not ${answer}`);
}

/** Waits until no thread comes or goes. */
async function settle(pid: number): Promise<void> {
  let last = -1;
  await eventually(
    async () => {
      const { threads } = await usageOf(pid);
      const settled = threads === last;
      last = threads;
      if (!settled) await delay(100);
      return settled;
    },
    { deadlineMs: 30_000 },
  );
}

/** `npm run soak -- churn`. */
export async function churnSoak(): Promise<boolean> {
  await using app = await startSoakApp(victimFiles());
  const result = await churn(app, { kills: 2_000, swaps: 10_000, onSample: (line) => console.log(`  ${line}`) });
  const flat = printTrends({ daemon: result.daemon, host: result.host });
  return printVerdict([
    ['the app host was never replaced', !result.hostReplaced],
    ['memory, files and threads are flat', flat],
  ]);
}
