import { expect, test } from 'vitest';
import { workerLimits } from '../../../../runtime/contract/limits.ts';
import { WorkerLoad } from '../../../../runtime/host/worker-load.ts';

const idle = { activeMs: 0, inFlight: 0, answered: 0, heard: 0 };

test('load tells the share of time at work since the sample before', () => {
  const load = new WorkerLoad();
  load.sample(1_000, idle);
  load.sample(1_100, { ...idle, activeMs: 30 });
  expect([load.busy, load.busySamples, load.room]).toEqual([0.3, 0, Infinity]);
  load.sample(1_200, { ...idle, activeMs: 125 });
  load.sample(1_300, { ...idle, activeMs: 225 });
  expect([load.busy, load.busySamples]).toEqual([1, 2]);
});

test('load has a worker stalled that computes and says nothing, until it says something', () => {
  const load = new WorkerLoad();
  load.sample(1_000, { ...idle, inFlight: 1, heard: 4 });
  load.sample(1_100, { activeMs: 100, inFlight: 1, answered: 0, heard: 4 });
  expect([load.isStalled(4), load.isStalled(5), load.stalledSince]).toEqual([true, false, 1_100]);
  load.sample(1_200, { activeMs: 200, inFlight: 1, answered: 0, heard: 4 });
  expect(load.stalledSince).toBe(1_100);
  load.sample(1_300, { activeMs: 300, inFlight: 1, answered: 1, heard: 5 });
  expect([load.isStalled(5), load.stalledSince]).toEqual([false, 0]);
});

test('load has a worker that waits and says nothing not stalled', () => {
  const load = new WorkerLoad();
  load.sample(1_000, { ...idle, inFlight: 9 });
  load.sample(1_100, { ...idle, inFlight: 9, activeMs: 5 });
  expect(load.isStalled(0)).toBe(false);
});

test('load lets a busy worker hold what it finishes in the time allowed', () => {
  const load = new WorkerLoad();
  for (let i = 0; i <= 30; i++) {
    load.sample(1_000 + i * 100, { activeMs: i * 100, inFlight: 20, answered: i, heard: i });
  }
  // Ten a second.
  expect(load.room).toBe(Math.ceil(workerLimits.busyHoldMs / 100));
});

test('load goes behind the main thread after being busy for a while, and comes back', () => {
  const load = new WorkerLoad();
  const { niceSamples } = workerLimits;
  const nice: boolean[] = [];
  for (let i = 0; i < niceSamples * 2; i++) {
    load.sample(1_000 + i * 100, { ...idle, activeMs: Math.min(i, niceSamples) * 100 });
    nice.push(load.isNice);
  }
  expect([nice.indexOf(true), nice.at(-1)]).toEqual([niceSamples, true]);
  load.sample(1_000 + niceSamples * 200, { ...idle, activeMs: niceSamples * 100 });
  expect(load.isNice).toBe(false);
});

test('load knows what an answer takes as soon as there were some in one sample', () => {
  const load = new WorkerLoad();
  load.sample(1_000, idle);
  load.sample(1_100, { ...idle, activeMs: 50, answered: workerLimits.answersMin - 1 });
  expect(load.answerMs).toBe(Infinity);
  load.sample(1_200, { ...idle, activeMs: 60, answered: workerLimits.answersMin - 1 + 1_000 });
  expect(load.answerMs).toBe(0.01);
  const answered = workerLimits.answersMin - 1 + 1_001;
  load.sample(1_300, { ...idle, activeMs: 60, answered });
  expect(load.answerMs).toBe(0.01);
  // What has become slow is seen at once, by its only answer, and by none.
  load.sample(1_400, { ...idle, activeMs: 100, answered: answered + 1 });
  expect(load.answerMs).toBe(40);
  load.sample(1_500, { ...idle, activeMs: 190, answered: answered + 1 });
  expect(load.answerMs).toBe(90);
  load.sample(1_600, { ...idle, activeMs: 190, answered: answered + 1 });
  expect(load.answerMs).toBe(90);
});
