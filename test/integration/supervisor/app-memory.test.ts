import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { hostLimits, workerLimits } from '../../../runtime/contract/limits.ts';
import { fetchFrom } from '../../support/http.ts';
import { pushTree, startServe, type Serve } from '../../support/serve.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

vi.setConfig({ testTimeout: 60_000 });

let serve: Serve;

beforeAll(async () => {
  serve = await startServe();
});

afterAll(async () => {
  await serve?.stop();
});

// After 200 MB of garbage.
const handler = `
import { getHeapSpaceStatistics } from 'node:v8';
let kept;
export default () => {
  for (let i = 0; i < 4e6; i++) kept = [i, i, i, i];
  const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
  return Response.json({ pid: process.pid, args: process.execArgv, youngMb: young.space_size / 2 ** 20 });
};`;

/** Flags and environment of the process, and the young generation of the thread that serves, of an app with this limit. */
async function measure(app: string, memoryMb: number): Promise<{ args: string[]; youngMb: number; env: string[] }> {
  await using tree = await makeTempDir();
  await writeTree(tree.path, {
    'functions/index.ts': handler,
    'fnrun.json': JSON.stringify({ limits: { memoryMb } }),
  });
  await pushTree(tree.path, await serve.createApp(app));
  const { body } = await fetchFrom({ socketPath: `${serve.home}/run/${app}.sock` }, { path: '/' });
  const told = JSON.parse(String(body)) as { pid: number; args: string[]; youngMb: number };
  return { ...told, env: (await readFile(`/proc/${told.pid}/environ`, 'utf8')).split('\0') };
}

test('an app that may have the memory begins with a larger young generation, one that may not does not', async () => {
  const flag = `--min-semi-space-size=${hostLimits.semiSpaceMinMb}`;
  const roomy = await measure('roomy', hostLimits.roomyFromMb);
  expect(roomy.args).toContain(flag);
  expect(roomy.youngMb).toBeGreaterThanOrEqual(workerLimits.roomySemiSpaceMb);
  const narrow = await measure('narrow', hostLimits.roomyFromMb - 1);
  expect(narrow.args).not.toContain(flag);
  expect(narrow.youngMb).toBeLessThan(roomy.youngMb);
});

test('an app that may have the memory keeps what large bodies have left, one that may not does not', async () => {
  const { keepMemoryFromMb, keptBytes } = hostLimits;
  const variable = `MALLOC_TRIM_THRESHOLD_=${keptBytes}`;
  expect((await measure('keeps', keepMemoryFromMb)).env).toContain(variable);
  expect((await measure('frees', keepMemoryFromMb - 1)).env.filter((each) => each.startsWith('MALLOC_'))).toEqual([]);
});
