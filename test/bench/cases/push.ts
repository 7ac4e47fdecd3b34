import { performance } from 'node:perf_hooks';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { npmCacheDir } from '../../../deploy/build/places.ts';
import { appPaths, homePaths } from '../../../deploy/paths.ts';
import { git } from '../../support/git.ts';
import { startServe, type Serve } from '../../support/serve.ts';
import { makeTempDir } from '../../support/temp-dir.ts';
import { median, percentile, round } from '../measure.ts';
import { emptyNpmCache, makeApp, pushCommit, type Change, type PushedApp } from '../push/app.ts';
import { timeToAnswer } from '../push/first-answer.ts';
import { startPackages, type Packages } from '../push/packages.ts';
import { own, type BenchCase, type BenchContext } from '../report.ts';

const bareGit = 'a bare repository';

/** An app, and what is pushed to it: so many pushes that change one function, so many that change all. */
interface Variant {
  functions: number;
  dependencies?: true;
  one: number;
  all?: number;
}

const variants: readonly Variant[] = [
  { functions: 1, one: 15 },
  { functions: 20, one: 30, all: 12 },
  { functions: 200, one: 8, all: 5 },
  { functions: 20, dependencies: true, one: 12, all: 8 },
];
const installs = 3;
/** A switch leaves threads to end and a reserve to fill, and nobody pushes faster than this. */
const pauseMs = 300;

/** `git push` until the new code answers, beside a push of the same commits to a bare repository. */
export const push: BenchCase = {
  name: 'push',
  summary: 'git push of 1, 20 and 200 functions, one and all changed (warm daemon), until the new code answers',
  needs: [],
  async run(context) {
    await using packages = await startPackages();
    for (const variant of variants) await runVariant(variant, { context, packages });
  },
};

async function runVariant(
  variant: Variant,
  { context, packages }: { context: BenchContext; packages: Packages },
): Promise<void> {
  const { functions, one, all } = variant;
  await using folder = await makeTempDir('fb-');
  await using serve = await startServe();
  const withPackages = variant.dependencies === true;
  const app = await makeApp(folder.path, { functions, ...(withPackages && { packages: packages.files(0) }) });
  const bare = join(folder.path, 'bare.git');
  await git(folder.path, 'init', '-q', '--bare', bare);
  const setting: Setting = { app, serve, bare, remote: await serve.createApp('bench'), context };
  const title = `${functions} function${functions === 1 ? '' : 's'}${withPackages ? ' with npm packages' : ''}`;
  // Starts the app's host, builds everything: told, and in no median.
  const first = await firstPush(setting);
  context.say(`${title}: first push ${round(first)} ms`);
  await series(setting, { name: `${title}, one changed`, change: 'one', pushes: one, isTarget: isTarget(variant) });
  if (all !== undefined) await series(setting, { name: `${title}, all changed`, change: 'all', pushes: all });
  if (!withPackages) return;
  let edition = 0;
  await series(setting, {
    name: `${title}, new lockfile, npm's cache empty`,
    change: 'one',
    pushes: installs,
    async prepare() {
      await emptyNpmCache(npmCacheDir(appPaths(homePaths(serve.home), 'bench').cache));
      await app.write(packages.files(++edition));
    },
  });
}

/** What the design promises a figure for: twenty functions, one of them changed. */
const isTarget = ({ functions, dependencies }: Variant): boolean => functions === 20 && dependencies !== true;

interface Setting {
  app: PushedApp;
  serve: Serve;
  remote: string;
  bare: string;
  context: BenchContext;
}

async function firstPush({ app, serve, remote, bare }: Setting): Promise<number> {
  const { commit, answer } = await app.commit('one');
  await pushCommit(app.dir, { commit, remote: bare });
  const push = (): Promise<void> => pushCommit(app.dir, { commit, remote });
  // Before it there is no app that could answer.
  const { answerMs } = await timeToAnswer(push, { target: serve.gateway, path: '/f0', answer, mayFail: true });
  return answerMs;
}

interface Series {
  name: string;
  change: Change;
  /** With the five rounds of a run; fewer rounds make fewer. */
  pushes: number;
  /** Before each commit, out of the time. */
  prepare?: () => Promise<void>;
  isTarget?: boolean;
}

/** Each commit goes to both, now to the one first, now to the other. */
async function series(setting: Setting, { name, change, pushes, prepare, isTarget = false }: Series): Promise<void> {
  const { app, serve, remote, bare, context } = setting;
  const count = Math.ceil((pushes * context.rounds) / 5);
  const answers: number[] = [];
  const commands: number[] = [];
  const bares: number[] = [];
  for (let i = 0; i < count; i++) {
    await prepare?.();
    const { commit, answer } = await app.commit(change);
    const toFnrun = async (): Promise<void> => {
      const push = (): Promise<void> => pushCommit(app.dir, { commit, remote });
      const { answerMs, commandMs } = await timeToAnswer(push, { target: serve.gateway, path: '/f0', answer });
      answers.push(answerMs);
      commands.push(commandMs);
    };
    const toBare = async (): Promise<void> => {
      const before = performance.now();
      await pushCommit(app.dir, { commit, remote: bare });
      bares.push(performance.now() - before);
    };
    await delay(pauseMs);
    for (const turn of i % 2 === 0 ? [toFnrun, toBare] : [toBare, toFnrun]) await turn();
  }
  const base = { case: 'push', side: own, samples: count, unit: 'ms' };
  const toAnswer = `${name}: to new answer`;
  const p = (values: readonly number[], percent: number): number => round(percentile(values, percent));
  const target = isTarget ? { target: { most: 300 } } : {};
  context.report({ ...base, name: `${toAnswer} p50`, value: p(answers, 50), ...target });
  context.report({ ...base, side: bareGit, name: `${toAnswer} p50`, value: p(bares, 50) });
  const ratio = round(median(answers.map((ms, i) => ms / bares[i]!)));
  context.report({ ...base, over: bareGit, name: `${toAnswer} p50`, value: ratio, unit: 'x' });
  context.report({ ...base, name: `${toAnswer} p95`, value: p(answers, 95) });
  context.report({ ...base, side: bareGit, name: `${toAnswer} p95`, value: p(bares, 95) });
  if (isTarget) context.report({ ...base, name: `${name}: git push command p50`, value: p(commands, 50) });
}
