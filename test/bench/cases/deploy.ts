import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCli } from '../../support/cli.ts';
import { pushTree, startServe } from '../../support/serve.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';
import { openLoop } from '../load/run-open-loop.ts';
import { wrk } from '../load/wrk.ts';
import { round } from '../measure.ts';
import { own, type BenchCase } from '../report.ts';

const functions = 20;

/** Deployments and rollbacks one after the other, while the daemon's gateway carries half of what it can. */
export const deploy: BenchCase = {
  name: 'deploy',
  summary: 'deployments and rollbacks at half of peak load: requests that fail',
  needs: ['wrk'],
  async run({ seconds = 10, say, report }) {
    await using folder = await makeTempDir('fnrun-bench-');
    const dir = join(folder.path, 'app');
    const source = (version: number): string => `export default () => new Response('version ${version}');\n`;
    const files = Array.from({ length: functions }, (_, i) => [`functions/f${i}/index.ts`, source(0)]);
    await writeTree(dir, Object.fromEntries(files) as Record<string, string>);
    await using serve = await startServe();
    const remote = await serve.createApp('bench');
    await pushTree(dir, remote);
    const url = `${serve.cli.ready}/f0`;
    await wrk(url, { seconds: 1 });
    const peak = (await wrk(url, { seconds: 2 })).requestsPerSecond;
    const load = { done: false };
    const offered = openLoop(url, { requestsPerSecond: peak / 2, seconds, connections: 1_024 }).finally(
      () => (load.done = true),
    );
    let switches = 0;
    for (let version = 1; !load.done; version++) {
      if (version % 3 === 0) {
        const { code, stderr } = await runCli(['rollback', 'bench', '--home', serve.home]);
        if (code !== 0) throw new Error(stderr);
      } else {
        await writeFile(join(dir, 'functions/f0/index.ts'), source(version));
        await pushTree(dir, remote);
      }
      switches++;
    }
    const { ok, offered: sent, outcomes } = await offered;
    say(`${switches} switches at ${round(peak / 2)} req/s: ${JSON.stringify(outcomes)}`);
    const base = { case: 'deploy', side: own };
    report({ ...base, name: 'peak through the gateway', samples: 1, value: round(peak), unit: 'req/s' });
    report({ ...base, name: 'deployments and rollbacks under load', samples: 1, value: switches, unit: 'switches' });
    report({
      ...base,
      name: 'failed requests',
      samples: sent,
      value: sent - ok.count,
      unit: 'requests',
      target: { most: 0 },
    });
    report({ ...base, name: 'latency meanwhile p99', samples: ok.count, value: ok.p99, unit: 'ms' });
  },
};
