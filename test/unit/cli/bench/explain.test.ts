import { expect, test } from 'vitest';
import { caveats, explainLimit } from '../../../../cli/bench/explain.ts';
import { holds, type BenchStep } from '../../../../cli/bench/step.ts';
import type { FunctionStats } from '../../../../runtime/contract/ipc.ts';

const cpu = { app: 1, mainThread: 0.3, busiestThread: 0.3, load: 0.2, machine: 1.3, cores: 4 };
const figures = { workers: 1, maxWorkers: 4, concurrency: 50, inFlight: 3, queued: 0 } as FunctionStats;
const bound = { p99Ms: 20, connections: 256 };
const step = (parts: Partial<BenchStep> = {}): BenchStep => ({
  rate: 1_000,
  holds: false,
  achieved: 1_000,
  p50: 5,
  p99: 50,
  p999: 80,
  requests: 3_000,
  errors: 0,
  outcomes: { 200: 3_000 },
  cpu,
  generator: { utilization: 0.2, lagP99: 0.5 },
  mostWaiting: 0,
  figures,
  ...parts,
});

test.each<[string, Partial<BenchStep>, RegExp]>([
  ['cpu', { cpu: { ...cpu, app: 3.3, machine: 3.9 } }, /3\.9 of 4 cores in use, the app 3\.3/],
  ['generator', { generator: { utilization: 0.97, lagP99: 30 } }, /97 % busy.*may carry more/],
  ['main-thread', { cpu: { ...cpu, mainThread: 0.98 } }, /98 % of a core/],
  ['worker-cpu', { cpu: { ...cpu, busiestThread: 1 }, figures: { ...figures, workers: 4 } }, /raise maxWorkers/],
  ['concurrency', { figures: { ...figures, workers: 4, inFlight: 200 } }, /200 requests in flight in 4 workers of 50/],
  // Other programs keep the machine busy; the handlers wait all the same.
  ['concurrency', { cpu: { ...cpu, machine: 4 }, figures: { ...figures, workers: 4, inFlight: 200 } }, /concurrency/],
  ['queue', { errors: 40, outcomes: { 200: 2_960, 503: 40 } }, /40 of 3000 .* 503/],
  ['connections', { mostWaiting: 900, errors: 100, outcomes: { 200: 2_900, unsent: 100 } }, /256 connections/],
  ['errors', { errors: 2, outcomes: { 200: 2_998, closed: 2 } }, /closed: 2/],
  ['waiting', {}, /1\.3 of 4 cores.*database/],
])('%s is named when that is what limits', (by, parts, words) => {
  expect(explainLimit(step(parts), bound)).toEqual({ by, words: expect.stringMatching(words) });
});

test('a rate holds when nothing fails, p99 is within its bound and what was offered is answered', () => {
  const good = step({ p99: 19 });
  expect(holds(good, bound)).toBe(true);
  for (const parts of [{ p99: 21 }, { errors: 1 }, { achieved: 900 }])
    expect(holds({ ...good, ...parts }, bound)).toBe(false);
});

test('it is said when the generator was late, and when other programs kept the machine busy', () => {
  expect(caveats([step()], bound)).toEqual([]);
  expect(caveats([step({ generator: { utilization: 0.1, lagP99: 15 } })], bound)).toEqual([
    expect.stringContaining('late at 1000 req/s'),
  ]);
  expect(caveats([step({ cpu: { ...cpu, machine: 3.9 } })], bound)).toEqual([
    expect.stringContaining('other programs used 2.7 of 4'),
  ]);
});
