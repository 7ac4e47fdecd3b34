import { expect, test } from 'vitest';
import { workerLimits } from '../../../../runtime/contract/limits.ts';
import { WorkerGroup } from '../../../../runtime/host/worker-group.ts';
import { WorkerLoad } from '../../../../runtime/host/worker-load.ts';
import type { FunctionWorker } from '../../../../runtime/host/worker.ts';

const { quietMs, togetherMs } = workerLimits;
const now = 10_000;

interface Parts {
  name: string;
  inFlight: number;
  answerMs?: number;
  answeredAt?: number;
  state?: FunctionWorker['state'];
  faulty?: boolean;
  suspect?: boolean;
}

/** What the group looks at of a worker. */
function worker({ name, inFlight, answerMs = Infinity, answeredAt = -Infinity, ...own }: Parts): FunctionWorker {
  const load = Object.assign(new WorkerLoad(), { answerMs, answeredAt });
  const parts = { name, inFlight, load, state: 'ready', faulty: false, suspect: false, heard: 0, ...own };
  return parts as unknown as FunctionWorker;
}

/** The name of the one that a group of them picks. */
function picked(workers: Parts[], concurrency = 50): string | null {
  const group = new WorkerGroup();
  for (const parts of workers) group.add(worker(parts));
  return group.free(concurrency, now)?.name ?? null;
}

const quick = { answerMs: 0.005, answeredAt: now - quietMs / 2 };

test.each<[string, Parts[], string | null]>([
  [
    'the one with the fewest, of those that take long or are not known',
    [
      { name: 'a', inFlight: 3, answerMs: 5, answeredAt: now },
      { name: 'b', inFlight: 2 },
    ],
    'b',
  ],
  [
    'the first that is quick, although another is idle',
    [
      { name: 'a', inFlight: 20, ...quick },
      { name: 'b', inFlight: 0 },
    ],
    'a',
  ],
  [
    'another when the quick one has no place',
    [
      { name: 'a', inFlight: 50, ...quick },
      { name: 'b', inFlight: 4, ...quick },
    ],
    'b',
  ],
  [
    'another when all that the quick one has takes too long together',
    [
      { name: 'a', inFlight: 10, answerMs: togetherMs / 10, answeredAt: now },
      { name: 'b', inFlight: 0 },
    ],
    'b',
  ],
  [
    'another when the quick one answers nothing',
    [
      { name: 'a', inFlight: 1, ...quick, answeredAt: now - quietMs },
      { name: 'b', inFlight: 0 },
    ],
    'b',
  ],
  [
    'no faulty one, no suspect and none that loads while there is another',
    [
      { name: 'a', inFlight: 0, faulty: true, ...quick },
      { name: 'b', inFlight: 0, suspect: true, ...quick },
      { name: 'c', inFlight: 0, state: 'loading' },
      { name: 'd', inFlight: 9 },
    ],
    'd',
  ],
  ['a faulty one before none', [{ name: 'a', inFlight: 9, faulty: true, ...quick }], 'a'],
  ['none when all are full', [{ name: 'a', inFlight: 50, ...quick }], null],
])('group picks %s', (_what, workers, name) => {
  expect(picked(workers)).toBe(name);
});

test('group has answered when the last of its ready workers was', () => {
  const group = new WorkerGroup();
  expect(group.answeredAt).toBe(-Infinity);
  group.add(worker({ name: 'a', inFlight: 0, answeredAt: 5 }));
  group.add(worker({ name: 'b', inFlight: 0, answeredAt: 9, state: 'draining' }));
  group.add(worker({ name: 'c', inFlight: 0, answeredAt: 7 }));
  expect(group.answeredAt).toBe(7);
});
