import { Agent } from 'node:http';
import { join } from 'node:path';
import { fetchFrom, targetOf } from '../../support/http.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';
import { measureSides, type Contestant } from '../compare.ts';
import { median, round } from '../measure.ts';
import { own, type BenchCase } from '../report.ts';
import { startOwn, type BenchServer } from '../server.ts';

const counts = [1, 10, 100];
/** Every function has a thread and so a compiler of its own: a hundred of them take longer until theirs is done. */
const warmUpSeconds: Record<number, number> = { 1: 2, 10: 4, 100: 12 };

/** An app with this many functions, every one of them warm. */
async function startWarm(
  source: string,
  { count, profile }: { count: number; profile?: string | undefined },
): Promise<BenchServer> {
  const server = await startOwn('fnrun-app.ts', [source, ...(profile === undefined ? [] : ['--profile', profile])]);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < count; i++) {
    const { status } = await fetchFrom(targetOf(server.url), { path: `/f${i}`, agent });
    if (status !== 200) throw new Error(`/f${i} of ${count} answered with ${status}`);
  }
  agent.destroy();
  return server;
}

/** One app with 1, 10 and 100 functions called round robin. */
export const functions: BenchCase = {
  name: 'functions',
  summary: `one app with ${counts.join(', ')} functions called round robin, all warm`,
  needs: ['wrk'],
  async run(context) {
    await using folder = await makeTempDir('fnrun-bench-');
    const sides: Contestant[] = [];
    for (const count of counts) {
      const source = join(folder.path, `app${count}`);
      const files = Array.from({ length: count }, (_, i) => [
        `functions/f${i}/index.ts`,
        `export default () => Response.json({ message: 'hello', items: [1, 2, 3] });\n`,
      ]);
      await writeTree(source, Object.fromEntries(files) as Record<string, string>);
      sides.push({
        name: `${own} ${count}`,
        start: () => startWarm(source, { count, profile: context.profile }),
        load: { args: [String(count)] },
        warmUpSeconds: warmUpSeconds[count]!,
      });
    }
    const measured = await measureSides(
      {
        case: 'functions',
        sides,
        load: { script: 'round-robin.lua' },
        seconds: 3,
        request: { path: '/f0' },
        expected: '{"message":"hello","items":[1,2,3]}',
      },
      context,
    );
    const [one] = measured;
    for (const [i, { rps, cpuUs, failures }] of measured.entries()) {
      const what = counts[i] === 1 ? '1 function' : `${counts[i]} functions`;
      const base = { case: 'functions', side: own, samples: context.rounds };
      const tell = (name: string, values: number[], unit: string): void =>
        context.report({
          ...base,
          name: `${name}, ${what}`,
          value: round(median(values)),
          unit,
          rounds: values.map(round),
        });
      tell('throughput', rps, 'req/s');
      tell('CPU per request', cpuUs, 'µs');
      context.report({
        ...base,
        name: `failed requests, ${what}`,
        value: failures,
        unit: 'requests',
        target: { most: 0 },
      });
      if (i === 0) continue;
      const ratios = rps.map((value, at) => value / one!.rps[at]!);
      context.report({
        ...base,
        name: `throughput, ${what}`,
        over: '1 function',
        value: round(median(ratios)),
        unit: 'x',
        rounds: ratios.map(round),
        target: { least: 0.9 },
      });
    }
  },
};
