import { expect, test } from 'vitest';
import { Lane } from '../../../deploy/lane.ts';
import { deployLimits } from '../../../runtime/contract/limits.ts';

test('Lane does one thing after the other, in order', async () => {
  const lane = new Lane();
  const log: string[] = [];
  const first = Promise.withResolvers<void>();
  const a = lane.run(async () => {
    log.push('a begins');
    await first.promise;
    log.push('a ends');
  });
  const b = lane.run(async () => void log.push('b'), { onWait: () => log.push('b waits') });
  first.resolve();
  await Promise.all([a, b]);
  expect(log).toEqual(['b waits', 'a begins', 'a ends', 'b']);
});

test('Lane goes on after work that failed', async () => {
  const lane = new Lane();
  await expect(lane.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await lane.run(async () => 'yes')).toBe('yes');
});

test('Lane refuses work when too much waits', async () => {
  const lane = new Lane();
  const gate = Promise.withResolvers<void>();
  const all = Array.from({ length: deployLimits.laneWaiting + 1 }, () => lane.run(() => gate.promise));
  await expect(lane.run(async () => {})).rejects.toThrowError(expect.objectContaining({ code: 'FN_BUSY' }));
  gate.resolve();
  await Promise.all(all);
  await lane.idle();
});

test('Lane lets go of work that is aborted while it waits, and keeps the others in order', async () => {
  const lane = new Lane();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = lane.run(() => gate.promise.then(() => log.push('first')));
  const gone = new AbortController();
  const second = lane.run(async () => log.push('second'), { signal: gone.signal });
  const third = lane.run(async () => log.push('third'));
  gone.abort(new Error('superseded'));
  await expect(second).rejects.toThrow('superseded');
  expect(log).toEqual([]);
  gate.resolve();
  await Promise.all([first, third]);
  expect(log).toEqual(['first', 'third']);
  await expect(lane.run(async () => {}, { signal: gone.signal })).rejects.toThrow('superseded');
});
