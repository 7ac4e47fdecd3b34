import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startApp } from '../../support/app.ts';
import type { TestApp } from '../../support/app.ts';
import { eventually } from '../../support/deadline.ts';

/** What a client may ask for, and how long until it leaves (ms; null: it stays). */
interface Arrival {
  kind: 'request';
  fn: 'a' | 'b' | 'c';
  does: 'answer' | 'wait' | 'hang' | 'throw' | 'exit' | 'escape' | 'late' | 'loop' | 'stream';
  leavesAfterMs: number | null;
}

type Step = Arrival | { kind: 'deploy'; changes: boolean } | { kind: 'pause'; ms: number } | { kind: 'maintain' };

const handler = (version: number): string => `
  export const config = { timeoutMs: 150, concurrency: 2, maxWorkers: 2 };
  const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  export default async (request, ctx) => {
    switch (new URL(request.url).searchParams.get('does')) {
      case 'wait': await after(20); break;
      case 'hang': await new Promise(() => {}); break;
      case 'throw': throw new Error('thrown');
      case 'exit': process.exit(3); break;
      case 'escape': setTimeout(() => { throw new Error('escaped'); }, 5); await after(20); break;
      case 'late': ctx.waitUntil(after(30)); break;
      case 'loop': for (;;);
      case 'stream': return new Response(new ReadableStream({
        async pull(controller) { await after(5); controller.enqueue(new Uint8Array(1000)); },
      }));
    }
    return new Response('${version}');
  }`;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('request' as const),
      fn: fc.constantFrom('a' as const, 'b' as const, 'c' as const),
      does: fc.constantFrom('answer', 'answer', 'wait', 'hang', 'throw', 'exit', 'escape', 'late', 'loop', 'stream'),
      leavesAfterMs: fc.option(fc.integer({ min: 0, max: 60 }), { freq: 3 }),
    }) as fc.Arbitrary<Arrival>,
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deploy' as const), changes: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('maintain' as const) }) },
);

async function run(app: TestApp, steps: readonly Step[]): Promise<void> {
  const clients: Promise<unknown>[] = [];
  let version = 0;
  const deploy = (): Promise<void> =>
    app.deploy({ '/a': handler(version), '/b': handler(0), '/c': `${handler(0)} // ${version}` });
  await deploy();
  for (const one of steps) {
    if (one.kind === 'deploy') {
      if (one.changes) version++;
      await deploy();
    } else if (one.kind === 'pause') {
      await new Promise((resolve) => setTimeout(resolve, one.ms));
    } else if (one.kind === 'maintain') {
      for (const slot of app.app.live!.slots.values()) slot.maintain(0);
    } else {
      const { fn, does, leavesAfterMs } = one;
      // Every stream is endless, and ends by its timeout.
      const signal = leavesAfterMs === null ? {} : { signal: AbortSignal.timeout(leavesAfterMs) };
      clients.push(app.get(`/${fn}?does=${does}`, signal).catch(() => null));
    }
  }
  await Promise.all(clients);
}

test(
  'no counter drifts, whatever arrives, leaves, crashes, times out and is deployed',
  { timeout: 120_000 },
  async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const app = await startApp({ reserve: { min: 1, max: 2 }, threads: 5 });
        await run(app, steps);
        await eventually(
          () => {
            const stats = app.app.stats();
            expect(stats).toMatchObject({ inFlight: 0, queued: 0, starving: 0, leaving: 0 });
            // Threads that old releases had are gone too: what is left is in the reserve or serves.
            const workers = stats.functions.reduce((sum, one) => sum + one.workers, 0);
            expect(stats.threads).toBe(stats.reserve + workers);
            return true;
          },
          { deadlineMs: 20_000 },
        );
        await app.close();
        expect(app.pool.size).toBe(0);
      }),
      { numRuns: 6, endOnFailure: true },
    );
    await eventually(() => timers() <= before);
  },
);
