import { performance } from 'node:perf_hooks';
import { Agent } from 'node:http';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startCli } from '../../support/cli.ts';
import { fetchFrom, targetOf } from '../../support/http.ts';
import { makeTempDir } from '../../support/temp-dir.ts';
import { percentile, round } from '../measure.ts';
import { own, type BenchCase } from '../report.ts';

const edits = 30;
const functions = 20;
/** Nobody saves faster than this. */
const pauseMs = 250;
/** Between two questions: asking without pause would take a core from the machine under test. */
const pollMs = 1;

/** From saving a file under `fnrun dev` to the first response of the new code, asked for in a loop of 1 ms. */
export const edit: BenchCase = {
  name: 'edit',
  summary: `edit a file under fnrun dev (${functions} functions) until the new code answers`,
  needs: [],
  async run({ report }) {
    await using folder = await makeTempDir('fnrun-bench-');
    const file = (i: number): string => join(folder.path, `functions/f${i}/index.ts`);
    const source = (version: number): string => `export default () => new Response('version ${version}');\n`;
    for (let i = 0; i < functions; i++) {
      await mkdir(join(folder.path, `functions/f${i}`), { recursive: true });
      await writeFile(file(i), source(0));
    }
    await using dev = await startCli(['dev', folder.path, '--port', '0']);
    const target = targetOf(dev.ready);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await fetchFrom(target, { path: '/f0', agent });
    const times: number[] = [];
    for (let version = 1; version <= edits; version++) {
      const before = performance.now();
      await writeFile(file(0), source(version));
      for (;;) {
        const { text } = await fetchFrom(target, { path: '/f0', agent });
        if (text === `version ${version}`) break;
        await delay(pollMs);
        if (performance.now() - before > 10_000)
          throw new Error(`version ${version} did not answer within 10 s:\n${dev.output()}`);
      }
      times.push(performance.now() - before);
      await delay(pauseMs);
    }
    agent.destroy();
    report({
      case: 'edit',
      side: own,
      name: 'edit to new answer p50',
      value: round(percentile(times, 50)),
      unit: 'ms',
      samples: edits,
      target: { most: 60 },
    });
    report({
      case: 'edit',
      side: own,
      name: 'edit to new answer p95',
      value: round(percentile(times, 95)),
      unit: 'ms',
      samples: edits,
    });
  },
};
