import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from 'vitest';
import { workerLimits } from '../../../../runtime/contract/limits.ts';
import { setFirstSemiSpace } from '../../../../runtime/pool/semi-space.ts';

afterAll(() => setFirstSemiSpace(workerLimits.semiSpaceMb));

/** The young generation of a new thread after 200 MB of garbage, in MB. */
async function youngMb(): Promise<number> {
  const text = `
    let kept;
    for (let i = 0; i < 4e6; i++) kept = [i, i, i, i];
    const space = require('node:v8').getHeapSpaceStatistics().find((one) => one.space_name === 'new_space');
    require('node:worker_threads').parentPort.postMessage(space.space_size / 2 ** 20);`;
  const worker = new Worker(text, {
    eval: true,
    resourceLimits: { maxYoungGenerationSizeMb: workerLimits.youngGenerationMb },
  });
  const [mb] = (await once(worker, 'message')) as [number];
  await worker.terminate();
  return mb;
}

test('threads have the young generation that was set when they were started', async () => {
  const usual = await youngMb();
  setFirstSemiSpace(workerLimits.roomySemiSpaceMb);
  const roomy = await youngMb();
  setFirstSemiSpace(workerLimits.semiSpaceMb);
  const again = await youngMb();
  expect(roomy).toBeGreaterThanOrEqual(workerLimits.roomySemiSpaceMb);
  expect(usual).toBeLessThan(roomy);
  expect(again).toBeLessThan(roomy);
});
