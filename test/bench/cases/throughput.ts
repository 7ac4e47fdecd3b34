import { compare } from '../compare.ts';
import type { Comparison, Contestant } from '../compare.ts';
import { work } from '../fixtures/cpu/work.ts';
import type { BenchCase, BenchContext } from '../report.ts';
import { allSides, type Fixture } from '../sides.ts';

/** A comparison of one fixture among all sides. */
type Plan = Omit<Comparison, 'case' | 'sides'> & { fixture: Fixture; summary: string };

const body = (bytes: number): string => 'a'.repeat(bytes);

const echo = (bytes: number, what: string): Plan => ({
  summary: `POST of ${what}, echoed`,
  fixture: 'echo',
  load: { script: 'post.lua', args: [String(bytes)] },
  seconds: 2,
  request: { method: 'POST', path: '/', body: body(bytes), headers: [['content-type', 'application/octet-stream']] },
  expected: body(bytes),
});

const plans: Record<string, Plan> = {
  json: {
    summary: 'warm JSON handler: throughput and CPU per request',
    fixture: 'json',
    load: {},
    seconds: 3,
    request: { path: '/' },
    expected: '{"message":"hello","items":[1,2,3]}',
    targets: {
      '@hono/node-server': { throughput: { least: 1 }, cpu: { most: 1.5 } },
      workerd: { throughput: { least: 3 } },
      'functions-framework': { throughput: { least: 10 } },
    },
  },
  'echo-1k': echo(1024, '1 KiB'),
  'echo-100k': echo(100 * 1024, '100 KiB'),
  'response-1mb': {
    summary: 'response of 1 MiB',
    fixture: 'bytes',
    load: {},
    seconds: 2,
    request: { path: '/' },
    expected: body(1024 * 1024),
  },
  stream: {
    summary: 'streamed response, 16 chunks of 1 KiB',
    fixture: 'stream',
    load: {},
    seconds: 2,
    request: { path: '/' },
    expected: body(16 * 1024),
  },
  cpu: {
    summary: 'handler that computes for about 5 ms; two workers beside one thread',
    fixture: 'cpu',
    load: {},
    seconds: 2,
    request: { path: '/' },
    expected: JSON.stringify({ hash: work() }),
  },
};

/** One case for each plan, all sides of it alternating in each round. */
export const throughputCases: readonly BenchCase[] = Object.entries(plans).map(([name, plan]) => ({
  name,
  summary: plan.summary,
  needs: ['wrk', 'peers'],
  run: (context: BenchContext) => {
    const sides = allSides.map((side): Contestant => ({
      name: side.name,
      start: () => {
        // Says whether it is installed.
        side.version();
        return side.start(plan.fixture, { profile: context.profile });
      },
    }));
    return compare({ ...plan, case: name, sides }, context);
  },
}));
