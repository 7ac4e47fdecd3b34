import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { targetOf } from '../../support/http.ts';
import { startServe } from '../../support/serve.ts';
import { makeTempDir } from '../../support/temp-dir.ts';
import type { OpenLoopResult } from '../load/open-loop.ts';
import { openLoop } from '../load/run-open-loop.ts';
import { wrk } from '../load/wrk.ts';
import { median, round } from '../measure.ts';
import { makeApp, pushCommit, type Version } from '../push/app.ts';
import { copyServer, startClassic, type InstallPolicy } from '../push/classic.ts';
import { timeToAnswer } from '../push/first-answer.ts';
import { startPackages } from '../push/packages.ts';
import { own, type BenchCase, type BenchContext } from '../report.ts';

const functions = 20;
const hook = 'classic hook';
const policies: readonly InstallPolicy[] = ['at each push', 'for a new lockfile'];
/** More than one side can use up. */
const commits = 120;
const idlePushes = 6;
/** Without rounds asked for: loads of each side, for each policy. */
const loads = 2;
/** The generator warms up for 1 s; what fails in it is not counted, so nobody pushes before. */
const loadStartMs = 1_500;
/** Between two pushes under load: what the first one kept waiting is answered before the second one. */
const pauseMs = 500;

/** The same commits to fnrun and to a post-receive hook that checks out, runs npm ci and restarts a server. */
export const classic: BenchCase = {
  name: 'classic',
  summary:
    'git push beside the classic post-receive hook (checkout -f, npm ci, restart), idle and at half of peak load',
  needs: ['wrk'],
  async run(context) {
    await using folder = await makeTempDir('fb-');
    await using packages = await startPackages();
    await using serve = await startServe();
    const app = await makeApp(folder.path, { functions, packages: packages.files(0), extension: 'js' });
    await copyServer(app.dir);
    const versions: Version[] = [];
    for (let i = 0; i < commits; i++) versions.push(await app.commit('one'));
    await using each = await startClassic(join(folder.path, 'each'), { install: 'at each push' });
    await using lazy = await startClassic(join(folder.path, 'lazy'), { install: 'for a new lockfile' });
    const side = (name: string, at: { remote: string; url: string }): Side => ({
      name,
      ...at,
      dir: app.dir,
      versions: [...versions],
    });
    const fnrun = side(own, { remote: await serve.createApp('bench'), url: `${serve.cli.ready}/` });
    const hooks = { 'at each push': side(hook, each), 'for a new lockfile': side(hook, lazy) };
    const sides = [fnrun, ...Object.values(hooks)];
    for (const one of sides) context.say(`first push, ${one.name}: ${round(await push(one, { isFirst: true }))} ms`);
    await compareIdle({ fnrun, hooks }, context);
    const rate = (await lowestPeak(sides, context)) / 2;
    for (const policy of policies)
      await compareLoaded({ title: titleOf(policy), fnrun, classic: hooks[policy], rate }, context);
  },
};

const titleOf = (policy: InstallPolicy): string => `npm ci ${policy}`;

/** Who is pushed to. */
interface Side {
  name: string;
  remote: string;
  url: string;
  dir: string;
  /** Those not pushed yet. */
  versions: Version[];
}

/** Pushes the next commit; resolves with the time until it answers. */
async function push(side: Side, { isFirst = false } = {}): Promise<number> {
  const { dir, remote, url } = side;
  const { commit, answer } = side.versions.shift()!;
  const mayFail = isFirst || side.name !== own;
  const question = { target: targetOf(url), path: '/f0', answer, mayFail };
  return (await timeToAnswer(() => pushCommit(dir, { commit, remote }), question)).answerMs;
}

async function compareIdle(
  { fnrun, hooks }: { fnrun: Side; hooks: Record<InstallPolicy, Side> },
  { rounds, report }: BenchContext,
): Promise<void> {
  const count = Math.ceil((idlePushes * rounds) / 5);
  const sides = [fnrun, ...Object.values(hooks)];
  const times = new Map<Side, number[]>(sides.map((side) => [side, []]));
  for (let i = 0; i < count; i++) {
    const first = i % sides.length;
    for (const side of [...sides.slice(first), ...sides.slice(0, first)]) times.get(side)!.push(await push(side));
  }
  const own = times.get(fnrun)!;
  for (const policy of policies)
    tellPair({ title: titleOf(policy), own, classic: times.get(hooks[policy])!, paired: true }, report);
}

/** Both sides get the same rate: half of what the slower one can do. */
async function lowestPeak(sides: readonly Side[], { say, report }: BenchContext): Promise<number> {
  const peaks: number[] = [];
  for (const { name, url } of sides) {
    await wrk(`${url}f0`, { seconds: 1 });
    peaks.push((await wrk(`${url}f0`, { seconds: 2 })).requestsPerSecond);
    say(`peak of ${name}: ${round(peaks.at(-1)!)} req/s`);
  }
  const lowest = Math.min(...peaks);
  report({ case: 'classic', side: own, name: 'load offered', samples: 1, value: round(lowest / 2), unit: 'req/s' });
  return lowest;
}

interface Loaded {
  pushes: number[];
  loads: OpenLoopResult[];
}

async function compareLoaded(
  { title, fnrun, classic, rate }: { title: string; fnrun: Side; classic: Side; rate: number },
  { rounds, seconds = 8, report, say }: BenchContext,
): Promise<void> {
  const results = { own: emptyLoaded(), classic: emptyLoaded() };
  for (let round = 0; round < Math.ceil((loads * rounds) / 5); round++) {
    const turns = [
      () => load(fnrun, { rate, seconds, into: results.own }),
      () => load(classic, { rate, seconds, into: results.classic }),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  const name = `${title}, at half of peak`;
  tellPair({ title: name, own: results.own.pushes, classic: results.classic.pushes, paired: false }, report);
  for (const [side, { pushes, loads }] of [
    [own, results.own],
    [hook, results.classic],
  ] as const) {
    const sum = (of: (result: OpenLoopResult) => number): number =>
      loads.reduce((total, result) => total + of(result), 0);
    const offered = sum((result) => result.offered);
    const failed = offered - sum((result) => result.ok.count);
    const outageMs = sum((result) => result.outageMs);
    say(
      `${title}: ${side}: ${pushes.length} pushes, ${loads.map(({ outcomes }) => JSON.stringify(outcomes)).join(' ')}`,
    );
    const base = { case: 'classic', side, samples: pushes.length };
    const target = side === own ? { target: { most: 0 } } : {};
    report({ ...base, samples: offered, name: `${name}: failed requests`, value: failed, unit: 'requests', ...target });
    const perPush = round(failed / pushes.length);
    report({ ...base, name: `${name}: requests failed, each push`, value: perPush, unit: 'req' });
    const outage = round(outageMs / 1000 / pushes.length);
    report({ ...base, name: `${name}: outage, each push`, value: outage, unit: 's', ...target });
    const silence = round(Math.max(...loads.map(({ silenceMs }) => silenceMs)) / 1000);
    report({ ...base, name: `${name}: longest time without an answer`, value: silence, unit: 's' });
    const p99 = round(median(loads.map(({ ok }) => ok.p99)));
    report({
      ...base,
      samples: loads.length,
      name: `${name}: latency of what was answered p99`,
      value: p99,
      unit: 'ms',
    });
  }
}

const emptyLoaded = (): Loaded => ({ pushes: [], loads: [] });

/** Pushes, with a pause after each, while the load lasts; the last one begins so that it should end within it. */
async function load(
  side: Side,
  { rate, seconds, into }: { rate: number; seconds: number; into: Loaded },
): Promise<void> {
  const options = { requestsPerSecond: rate, seconds, connections: 1_024 };
  const before = performance.now();
  const offered = openLoop(`${side.url}f0`, options);
  const watched = offered.then(
    () => true,
    () => true,
  );
  await delay(loadStartMs);
  let slowest = 0;
  const endMs = before + (seconds + 1) * 1000;
  do {
    const took = await push(side);
    slowest = Math.max(slowest, took);
    into.pushes.push(took);
    await delay(pauseMs);
  } while (performance.now() + slowest < endMs);
  await watched;
  into.loads.push(await offered);
}

/** The median of both sides and their ratio; of each pair of pushes, where they were made in turn. */
function tellPair(
  { title, own: mine, classic, paired }: { title: string; own: number[]; classic: number[]; paired: boolean },
  report: BenchContext['report'],
): void {
  const name = `${title}: to new answer p50`;
  const base = { case: 'classic', name, unit: 'ms' };
  report({ ...base, side: own, samples: mine.length, value: round(median(mine)) });
  report({ ...base, side: hook, samples: classic.length, value: round(median(classic)) });
  const ratio = paired ? median(mine.map((ms, i) => ms / classic[i]!)) : median(mine) / median(classic);
  report({ ...base, side: own, over: hook, samples: mine.length, value: round(ratio), unit: 'x' });
}
