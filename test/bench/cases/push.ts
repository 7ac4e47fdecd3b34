import { performance } from 'node:perf_hooks';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commitAll, git, initRepository, tryGit } from '../../support/git.ts';
import { runCli } from '../../support/cli.ts';
import { fetchFrom } from '../../support/http.ts';
import { startServe } from '../../support/serve.ts';
import { makeTempDir } from '../../support/temp-dir.ts';
import { median, percentile, round } from '../measure.ts';
import { own, type BenchCase } from '../report.ts';

const pushes = 15;
const functions = 20;
const bareGit = 'a bare repository';

/** `git push` of one changed function of twenty until the new code answers, beside a push to a bare repository. */
export const push: BenchCase = {
  name: 'push',
  summary: `git push (${functions} functions, one changed, warm daemon) until the new code answers`,
  needs: [],
  async run({ say, report }) {
    await using folder = await makeTempDir('fb-');
    const dir = join(folder.path, 'app');
    const source = (version: number): string => `export default () => new Response('version ${version}');\n`;
    for (let i = 0; i < functions; i++) {
      await mkdir(join(dir, `functions/f${i}`), { recursive: true });
      await writeFile(join(dir, `functions/f${i}/index.ts`), source(0));
    }
    await initRepository(dir);
    await using serve = await startServe();
    const created = await runCli(['apps', 'create', 'bench', '--home', serve.home]);
    if (created.code !== 0) throw new Error(created.stderr);
    const bare = join(folder.path, 'bare.git');
    await git(folder.path, 'init', '-q', '--bare', bare);
    const remote = join(serve.home, 'apps/bench/repo.git');
    const times: number[] = [];
    const commandTimes: number[] = [];
    const bareTimes: number[] = [];
    for (let version = 0; version <= pushes; version++) {
      await writeFile(join(dir, 'functions/f0/index.ts'), source(version));
      await commitAll(dir, `Version ${version}`);
      const bareMs = await timedPush(dir, bare);
      const before = performance.now();
      const command = await timedPush(dir, remote);
      await untilAnswers(() => fetchFrom(serve.gateway, { path: '/f0' }), `version ${version}`);
      const totalMs = performance.now() - before;
      // The first push builds everything and starts the host: told, not counted.
      if (version === 0) {
        say(`first push: ${round(totalMs)} ms`);
        continue;
      }
      times.push(totalMs);
      commandTimes.push(command);
      bareTimes.push(bareMs);
    }
    const base = { case: 'push', side: own, samples: pushes };
    report({
      ...base,
      name: 'push to new answer p50',
      value: round(percentile(times, 50)),
      unit: 'ms',
      target: { most: 300 },
    });
    report({ ...base, name: 'push to new answer p95', value: round(percentile(times, 95)), unit: 'ms' });
    report({ ...base, name: 'git push command p50', value: round(percentile(commandTimes, 50)), unit: 'ms' });
    report({ ...base, side: bareGit, name: 'push to new answer p50', value: round(median(bareTimes)), unit: 'ms' });
    report({
      ...base,
      over: bareGit,
      name: 'push to new answer p50',
      value: round(median(times.map((ms, i) => ms / bareTimes[i]!))),
      unit: 'x',
    });
  },
};

async function timedPush(dir: string, remote: string): Promise<number> {
  const before = performance.now();
  const pushed = await tryGit(dir, ['push', '-q', remote, 'HEAD:refs/heads/main']);
  if (pushed.code !== 0) throw new Error(pushed.output);
  return performance.now() - before;
}

async function untilAnswers(ask: () => Promise<{ text: string }>, text: string): Promise<void> {
  const end = performance.now() + 10_000;
  while ((await ask()).text !== text) {
    if (performance.now() > end) throw new Error(`"${text}" was not answered within 10 s`);
  }
}
