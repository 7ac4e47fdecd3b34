import { Agent } from 'node:http';
import { join } from 'node:path';
import { fetchFrom, targetOf } from '../../support/http.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';
import { measureSides, type Contestant, type Measured } from '../compare.ts';
import { median, round } from '../measure.ts';
import { own, type BenchCase, type BenchContext, type Figure, type Target } from '../report.ts';
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

/** Threads with next to nothing around them: what is left of one function's throughput when as many are in use. */
const bare = 'bare threads';

/** One app with 1, 10 and 100 functions called round robin, beside as many bare threads. */
export const functions: BenchCase = {
  name: 'functions',
  summary: `one app with ${counts.join(', ')} functions called round robin, all warm; beside as many bare threads`,
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
    for (const count of counts) {
      sides.push({
        name: `${bare} ${count}`,
        start: () => startOwn('bare-threads.ts', [String(count)]),
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
    tell(measured.slice(0, counts.length), { side: own, context, target: { least: 0.9 } });
    // With `--profile` fnrun is measured alone.
    tell(measured.slice(counts.length), { side: bare, context });
  },
};

/** Reports throughput, CPU per request and the ratio to one function of a side with each number of functions. */
function tell(
  measured: readonly Measured[],
  { side, context, target }: { side: string; context: BenchContext; target?: Target },
): void {
  const base = { case: 'functions', side, samples: context.rounds };
  const report = (name: string, values: number[], rest: Partial<Figure> & { unit: string }): void =>
    context.report({ ...base, name, value: round(median(values)), rounds: values.map(round), ...rest });
  const [one] = measured;
  for (const [i, { rps, cpuUs, failures }] of measured.entries()) {
    const what = counts[i] === 1 ? '1 function' : `${counts[i]} functions`;
    report(`throughput, ${what}`, rps, { unit: 'req/s' });
    report(`CPU per request, ${what}`, cpuUs, { unit: 'µs' });
    const failed = { ...base, name: `failed requests, ${what}`, value: failures, unit: 'requests' };
    if (side === own) context.report({ ...failed, target: { most: 0 } });
    if (i === 0) continue;
    const ratios = rps.map((value, at) => value / one!.rps[at]!);
    report(`throughput, ${what}`, ratios, { over: '1 function', unit: 'x', ...(target !== undefined && { target }) });
  }
}
