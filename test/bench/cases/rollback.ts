import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { createControlClient, type ControlClient } from '../../../cli/control-client.ts';
import type { DeploymentBody, DeploymentsBody, SwitchBody } from '../../../router/control/types.ts';
import { runCli } from '../../support/cli.ts';
import { startServe, type Serve } from '../../support/serve.ts';
import { makeTempDir } from '../../support/temp-dir.ts';
import { percentile, round } from '../measure.ts';
import { makeApp, pushCommit, type Change, type Version } from '../push/app.ts';
import { timeToAnswer } from '../push/first-answer.ts';
import { own, type BenchCase, type BenchContext } from '../report.ts';

const functions = 20;
/** With the five rounds of a run; fewer rounds make fewer. */
const rollbacks: readonly { change: Change; count: number }[] = [
  { change: 'one', count: 15 },
  { change: 'all', count: 10 },
];
/** A switch leaves threads to end and a reserve to fill, and nobody rolls back in the same moment. */
const pauseMs = 700;

/** `fnrun rollback` to the release before, as the server times it, as a client sees it, and as somebody at a terminal does. */
export const rollback: BenchCase = {
  name: 'rollback',
  summary: `fnrun rollback (${functions} functions, one and all differ) until the old code answers`,
  needs: [],
  async run(context) {
    for (const { change, count } of rollbacks)
      await series(change, { count: Math.ceil((count * context.rounds) / 5), context });
  },
};

async function series(change: Change, { count, context }: { count: number; context: BenchContext }): Promise<void> {
  await using folder = await makeTempDir('fb-');
  await using serve = await startServe();
  const app = await makeApp(folder.path, { functions });
  const remote = await serve.createApp('bench');
  const before = await app.commit(change);
  await pushCommit(app.dir, { commit: before.commit, remote });
  const after = await app.commit(change);
  await pushCommit(app.dir, { commit: after.commit, remote });
  await delay(pauseMs);
  const setting: Setting = { serve, control: createControlClient(serve.home), before, after };
  const printed: number[] = [];
  const asked: number[] = [];
  const typed: number[] = [];
  const starts: number[] = [];
  for (let i = 0; i < count; i++) {
    const byCli = await rollBack(setting, () => printedBy(serve));
    printed.push(byCli.tookMs);
    typed.push(byCli.answerMs);
    asked.push((await rollBack(setting, () => askedOf(setting))).answerMs);
    starts.push(await cliStart());
  }
  const name = change === 'one' ? 'one differs' : 'all differ';
  const base = { case: 'rollback', side: own, samples: count, unit: 'ms' };
  const tell = (what: string, values: readonly number[], target?: { most: number }): void => {
    for (const percent of [50, 95])
      context.report({
        ...base,
        name: `${name}, ${what} p${percent}`,
        value: round(percentile(values, percent)),
        ...(percent === 50 && target !== undefined && { target }),
      });
  };
  tell('as the CLI prints it', printed, { most: 100 });
  tell('request to old answer', asked, { most: 100 });
  tell('command with its start to old answer', typed);
  if (change === 'one')
    context.report({ ...base, name: 'start of the CLI alone p50', value: round(percentile(starts, 50)) });
}

interface Setting {
  serve: Serve;
  control: ControlClient;
  /** What is rolled back to, and from. */
  before: Version;
  after: Version;
}

/** Rolls back by `command`, which tells how long the server took, and goes forth again. */
async function rollBack(
  { serve, control, before, after }: Setting,
  command: () => Promise<number>,
): Promise<{ answerMs: number; tookMs: number }> {
  const question = { target: serve.gateway, path: '/f0' };
  let tookMs = 0;
  const run = async (): Promise<void> => void (tookMs = await command());
  const { answerMs } = await timeToAnswer(run, { ...question, answer: before.answer });
  // Not a redeployment: that would start all workers afresh.
  const forth = async (): Promise<void> => {
    const { deployments } = await control.request<DeploymentsBody>('GET', '/v1/apps/bench/deployments');
    const { release } = deployments.find((one) => one.commit === after.commit)!;
    await control.request('POST', '/v1/apps/bench/rollback', { body: { release } as SwitchBody });
  };
  await timeToAnswer(forth, { ...question, answer: after.answer });
  await delay(pauseMs);
  return { answerMs, tookMs };
}

async function printedBy({ home }: Serve): Promise<number> {
  const { code, stdout, stderr } = await runCli(['rollback', 'bench', '--home', home]);
  if (code !== 0) throw new Error(stderr);
  // `bench now serves 3d198a80e6548fb7, commit 1f37c1f9 (4 ms)`; from a second on in seconds.
  const [, value, unit] = /\(([\d.]+) (ms|s)\)\s*$/.exec(stdout) ?? [];
  if (value === undefined) throw new Error(`fnrun rollback printed no duration: ${stdout}`);
  return Number(value) * (unit === 's' ? 1000 : 1);
}

async function askedOf({ control }: Setting): Promise<number> {
  const { durationMs } = await control.request<DeploymentBody>('POST', '/v1/apps/bench/rollback', { body: {} });
  return durationMs ?? Number.NaN;
}

/** The same program with nothing to do but to print its version. */
async function cliStart(): Promise<number> {
  const before = performance.now();
  const { code, stderr } = await runCli(['--version']);
  if (code !== 0) throw new Error(stderr);
  return performance.now() - before;
}
