import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hostLimits } from '../../../runtime/contract/limits.ts';
import { entryPoint } from '../../../runtime/entry-points.ts';
import { ThreadPool } from '../../../runtime/pool/thread-pool.ts';
import type { ThreadPoolOptions } from '../../../runtime/pool/thread-pool.ts';
import { eventually, within } from '../../support/deadline.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

function createPool(options: Partial<ThreadPoolOptions>): ThreadPool {
  const pool = new ThreadPool({
    workerFile: entryPoint('runtime/worker/main.cjs'),
    onStuck(reason) {
      throw new Error(`a thread does not end: ${reason}`);
    },
    ...options,
  });
  onTestFinished(() => pool.close());
  return pool;
}

test('pool tries with growing pauses to fill a reserve whose threads do not start', { timeout: 60_000 }, async () => {
  await using folder = await makeTempDir();
  const workerFile = join(folder.path, 'broken.cjs');
  const log = join(folder.path, 'log');
  await writeFile(log, '');
  await writeFile(
    workerFile,
    `require('node:fs').appendFileSync(${JSON.stringify(log)}, 'x'); throw new Error('cannot start');`,
  );
  const before = performance.now();
  const pool = createPool({ workerFile, reserve: { min: 1, max: 1 } });
  await eventually(async () => (await readFile(log, 'utf8')).length >= 10, { deadlineMs: 30_000 });
  // Piscina loads the file twice in a thread that fails: five threads, and pauses of 1, 2, 4 and 8 times the first.
  expect(performance.now() - before).toBeGreaterThan(hostLimits.restartBackoffMinMs * 15);
  expect(pool.size).toBeLessThanOrEqual(1);
});

test('thread tells how long its event loop was at work', async () => {
  const pool = createPool({ reserve: { min: 0, max: 0 } });
  const thread = pool.take(128)!;
  await eventually(() => thread.activeMs() > 0);
  await eventually(() => thread.tid !== null);
  const before = thread.activeMs();
  await eventually(() => thread.activeMs() >= before);
  await within(15_000, 'the end of the thread', thread.terminate('test'));
  expect(pool.size).toBe(0);
});

test('pool gives no thread beyond its cap but urgent ones, and again after one has ended', async () => {
  const pool = createPool({ reserve: { min: 0, max: 0 }, threads: 4 });
  const threads = Array.from({ length: 4 }, () => pool.take(128)!);
  expect([pool.take(128), pool.hasRoom, pool.size]).toEqual([null, false, 4]);
  expect(pool.take(128, { urgent: true })).not.toBe(null);
  await within(15_000, 'the end of a thread', threads[0]!.terminate('test'));
  await within(15_000, 'the end of a thread', threads[1]!.terminate('test'));
  expect(pool.hasRoom).toBe(true);
});

test('reserve grows with the threads that functions take, not with those of a deployment', async () => {
  const pool = createPool({ reserve: { min: 1, max: 4 } });
  await eventually(() => pool.idle === 1);
  pool.take(128, { urgent: true });
  pool.take(128, { urgent: true });
  // The second one was started for it; the reserve is as it was.
  await eventually(() => pool.size === 3 && pool.idle === 1);
  pool.take(128);
  await eventually(() => pool.size === 5 && pool.idle === 2);
  pool.take(128);
  await eventually(() => pool.size === 7 && pool.idle === 3);
});

test('pool leaves nothing behind of a hundred threads that came and went', { timeout: 120_000 }, async () => {
  const pool = createPool({ reserve: { min: 1, max: 1 } });
  const resources = (): number => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
  const turn = async (): Promise<void> => {
    const threads = Array.from({ length: 5 }, () => pool.take(128)!);
    await Promise.all(threads.map((thread) => thread.terminate('test')));
  };
  await turn();
  await eventually(() => pool.size === 1 && pool.idle === 1);
  const before = resources();
  for (let i = 0; i < 20; i++) await turn();
  await eventually(() => pool.size === 1 && pool.idle === 1 && resources() <= before, { deadlineMs: 20_000 });
});
