import { expect, test } from 'vitest';
import { workerLimits } from '../../../../runtime/contract/limits.ts';
import { WaitQueue } from '../../../../runtime/host/wait-queue.ts';
import type { QueueTotal } from '../../../../runtime/host/wait-queue.ts';

const { queue, appQueue, growWaitMs, queueMs, queueStandingMs, quietMs } = workerLimits;

function filled(jobs: number, total: QueueTotal = { jobs: 0, queues: 0 }, now = 0): WaitQueue<number> {
  const made = new WaitQueue<number>(total);
  for (let job = 0; job < jobs; job++) made.add(job, now);
  return made;
}

/** Takes and adds one job every `everyMs` for `forMs`: a queue that stands. */
function stand(waiting: WaitQueue<number>, { everyMs, forMs }: { everyMs: number; forMs: number }): number {
  let now = 0;
  for (; now < forMs; now += everyMs) {
    waiting.take(now);
    waiting.add(1_000_000 + now, now);
  }
  return now;
}

test('queue gives jobs out in the order in which they came', () => {
  const waiting = filled(3);
  waiting.forget(1);
  expect([waiting.take(0), waiting.take(0), waiting.take(0)]).toEqual([0, 2, null]);
});

test('queue takes out those that waited too long, and no others', () => {
  const waiting = new WaitQueue<string>({ jobs: 0, queues: 0 });
  waiting.add('old', 0);
  waiting.add('new', 10);
  expect(waiting.takeExpired(queueMs - 1)).toBe(null);
  expect([waiting.takeExpired(queueMs), waiting.takeExpired(queueMs), waiting.size]).toEqual(['old', null, 1]);
});

test('queue is full at its bound, and at that of the app', () => {
  expect([filled(queue - 1).full, filled(queue).full]).toEqual([false, true]);
  expect(filled(0, { jobs: appQueue, queues: 9 }).full).toBe(true);
});

test('queue of a function with its share is full while the app has half of its places left', () => {
  const total = { jobs: 0, queues: 0 };
  const greedy = [filled(queue, total), filled(queue, total)];
  const small = filled(1, total);
  expect(total).toEqual({ jobs: 2 * queue + 1, queues: 3 });
  expect([...greedy, small].map((waiting) => waiting.full)).toEqual([true, true, false]);
  const share = Math.ceil(appQueue / 2 / 3);
  for (let job = 1; job < share; job++) small.add(job, 0);
  expect(small.full).toBe(true);
});

test('queue counts what it holds in the total of the app, whichever way it leaves', () => {
  const total = { jobs: 0, queues: 0 };
  const waiting = filled(5, total);
  waiting.take(0);
  waiting.forget(1);
  waiting.forget(1);
  waiting.takeExpired(queueMs);
  expect(total).toEqual({ jobs: 2, queues: 1 });
  waiting.clear();
  expect(total).toEqual({ jobs: 0, queues: 0 });
});

test('queue lets a burst in although it will wait long', () => {
  const waiting = filled(100);
  for (let now = 0; now < 400; now += 100) waiting.take(now);
  expect(waiting.tooLong(400, 0)).toBe(null);
});

test('queue that stands refuses what would wait longer than it may stand, and says how long', () => {
  const short = filled(5);
  const later = stand(short, { everyMs: 20, forMs: 3_000 });
  expect(short.tooLong(later, 0)).toBe(null);
  const long = filled(100);
  stand(long, { everyMs: 20, forMs: 3_000 });
  expect(long.tooLong(later, 0)).toBeGreaterThan(95 * 20);
  expect(long.tooLong(later, 0)).toBeLessThan(105 * 20);
});

test('queue tells its pace also when jobs are taken in bursts', () => {
  const waiting = filled(100);
  let now = 0;
  for (; now < 4_000; now += 250) {
    for (let i = 0; i < 25; i++) {
      waiting.take(now);
      waiting.add(now * 100 + i, now);
    }
  }
  expect(waiting.intervalMs(now)).toBeGreaterThan(9);
  expect(waiting.intervalMs(now)).toBeLessThan(13);
});

test('queue that is not served any more gets slower', () => {
  const waiting = filled(5);
  const now = stand(waiting, { everyMs: 20, forMs: 3_000 });
  expect([waiting.tooLong(now, 0), waiting.tooLong(now + 20_000, 0)]).toEqual([null, expect.any(Number)]);
});

test('queue of a slow function may stand as long as one invocation takes', () => {
  const waiting = filled(3);
  const now = stand(waiting, { everyMs: 500, forMs: 5_000 });
  expect(waiting.tooLong(now, 0)).toBeGreaterThan(queueStandingMs);
  expect(waiting.tooLong(now, 2_500)).toBe(null);
});

test('queue that was empty has no pace', () => {
  const waiting = filled(100);
  const now = stand(waiting, { everyMs: 20, forMs: 3_000 });
  waiting.clear();
  for (let job = 0; job < 100; job++) waiting.add(job, now);
  expect([waiting.intervalMs(now), waiting.tooLong(now + 2_000, 0)]).toEqual([0, null]);
});

test('queue flows while answers come and its oldest has not waited for long', () => {
  const waiting = new WaitQueue<string>({ jobs: 0, queues: 0 });
  waiting.add('a', 1_000);
  waiting.add('b', 1_005);
  const last = 1_000 + growWaitMs;
  expect(waiting.flows(last - 1, last - 1)).toBe(true);
  expect(waiting.flows(last - 1, last - 1 - quietMs)).toBe(false);
  expect(waiting.flows(last, last)).toBe(false);
  expect(waiting.flows(last - 1, -Infinity)).toBe(false);
  waiting.forget('a');
  expect(waiting.flows(last, last)).toBe(true);
});

test('queue keeps its order however many come, leave and are taken', () => {
  const total = { jobs: 0, queues: 0 };
  const waiting = new WaitQueue<number>(total);
  const expected: number[] = [];
  for (let job = 0; job < 5_000; job++) {
    waiting.add(job, job);
    expected.push(job);
    if (job % 7 === 0) expect(waiting.forget(job)).toBe(expected.splice(expected.indexOf(job), 1).length === 1);
    if (job % 3 > 0) expect(waiting.take(job)).toBe(expected.shift() ?? null);
    expect([waiting.size, total.jobs, total.queues]).toEqual([
      expected.length,
      expected.length,
      expected.length > 0 ? 1 : 0,
    ]);
  }
  expect(waiting.clear()).toEqual(expected);
  expect(total).toEqual({ jobs: 0, queues: 0 });
});

test('queue holds few places for those who have left, while its oldest stays', () => {
  const waiting = new WaitQueue<number>({ jobs: 0, queues: 0 });
  waiting.add(0, 0);
  let most = 0;
  for (let job = 1; job < 10_000; job++) {
    waiting.add(job, job);
    waiting.forget(job);
    most = Math.max(most, waiting.places);
  }
  expect(most).toBeLessThan(100);
  expect([waiting.size, waiting.take(0)]).toEqual([1, 0]);
});
