import { performance } from 'node:perf_hooks';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { childNamed } from '../../support/proc.ts';
import { fetchFrom } from '../../support/http.ts';
import { pushTree, startServe, type Serve } from '../../support/serve.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';
import { round } from '../measure.ts';
import { familyOf, memoryOf, threadsOf } from '../processes.ts';
import { own, type BenchCase, type Figure } from '../report.ts';

const warmed = 50;
const many = 1_000;
/** After which what a push or a request left behind has gone as far as it goes by itself. */
const settleMs = 3_000;

/** Resident memory of the real daemon and its app hosts, read from /proc. */
export const memory: BenchCase = {
  name: 'memory',
  summary: `idle daemon and app host, a warm function, ${many.toLocaleString('en-US')} functions deployed`,
  needs: [],
  async run({ report }) {
    const base = { case: 'memory', side: own, samples: 1 };
    const tell = (name: string, value: number, more: Partial<Figure> = {}): void =>
      report({ ...base, unit: 'MB', ...more, name, value: round(value) });
    await idle(tell);
    await warm(tell);
    await large(tell);
  },
};

type Tell = (name: string, value: number, more?: Partial<Figure>) => void;

async function idle(tell: Tell): Promise<void> {
  await using serve = await startServe();
  await pushApp(serve, 1);
  await delay(settleMs);
  const daemon = serve.cli.child.pid!;
  const host = await childNamed(daemon, 'fnrun: bench');
  const family = await familyOf(daemon);
  const all = await memoryOf(family);
  tell('daemon + one idle app host, resident', all.residentMb, { target: { most: 150 } });
  tell('daemon + one idle app host, sum of RSS', all.rssMb);
  tell('app host alone, RSS', (await memoryOf([host])).rssMb);
}

async function warm(tell: Tell): Promise<void> {
  await using serve = await startServe();
  await pushApp(serve, warmed);
  await delay(settleMs);
  const host = await childNamed(serve.cli.child.pid!, 'fnrun: bench');
  const before = { ...(await memoryOf([host])), threads: await threadsOf([host]) };
  for (let i = 0; i < warmed; i++) await call(serve, `/f${i}`);
  await delay(settleMs);
  const after = { ...(await memoryOf([host])), threads: await threadsOf([host]) };
  const threads = after.threads - before.threads;
  // The boot check has warmed some of them, and the reserve may have grown: what counts is the thread.
  tell('a warm function (thread) more, RSS', (after.rssMb - before.rssMb) / threads, { samples: threads });
}

async function large(tell: Tell): Promise<void> {
  await using serve = await startServe();
  const daemon = serve.cli.child.pid!;
  const what = `${many.toLocaleString('en-US')} functions`;
  const pushMs = await pushApp(serve, many);
  tell(`first push of ${what}`, pushMs / 1000, { unit: 's' });
  await delay(settleMs);
  const all = await memoryOf(await familyOf(daemon));
  tell(`${what} deployed and idle: daemon + app host, resident`, all.residentMb);
  const before = performance.now();
  await call(serve, `/f${many - 1}`);
  tell(`first call of one of ${what}`, performance.now() - before, { unit: 'ms' });
}

/** Pushes an app of so many functions to the gateway's only app; resolves with how long git took. */
async function pushApp(serve: Serve, functions: number): Promise<number> {
  await using folder = await makeTempDir('fnrun-bench-');
  const dir = join(folder.path, 'app');
  const files = Array.from({ length: functions }, (_, i) => [
    `functions/f${i}/index.ts`,
    `export default () => Response.json({ function: ${i} });\n`,
  ]);
  await writeTree(dir, Object.fromEntries(files) as Record<string, string>);
  const remote = await serve.createApp('bench');
  const before = performance.now();
  await pushTree(dir, remote);
  const pushMs = performance.now() - before;
  await call(serve, '/f0');
  return pushMs;
}

async function call(serve: Serve, path: string): Promise<void> {
  const { status, text } = await fetchFrom(serve.gateway, { path });
  if (status !== 200) throw new Error(`${path} answered with ${status}: ${text}`);
}
