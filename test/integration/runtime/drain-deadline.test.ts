import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { expect, test, vi } from 'vitest';
import { startHost } from '../../support/host.ts';
import { fetchFrom } from '../../support/http.ts';
import { workerLimits } from '../../../runtime/contract/limits.ts';

// It waits for the deadline itself, most of the time for nothing.
test(
  'old release that never drains is ended at the drain deadline, counted and logged',
  { timeout: 60_000 },
  async () => {
    const { target, deploy, logged, logs, host } = await startHost();
    const never = `export const config = { timeoutMs: 120_000 };
    export default async (request, ctx) => {
      if (new URL(request.url).search === '') return new Response('old');
      console.log('began');
      await new Promise(() => setInterval(() => {}, 1000));
    };`;
    await deploy({ '/': never, '/same': `export default () => new Response('same')` });
    await fetchFrom(target, { path: '/' });
    const stuck = once(get({ ...target, path: '/?stay' }), 'response') as Promise<[IncomingMessage]>;
    await logged((record) => record.message === 'began');
    const switchedAt = performance.now();
    await deploy({
      '/': `export default () => new Response('new')`,
      '/same': `export default () => new Response('same')`,
    });
    expect((await fetchFrom(target, { path: '/' })).text).toBe('new');
    const ended = await vi.waitFor(
      () =>
        logs.find(({ message }) => message === 'worker ended: it reached the drain deadline') ??
        Promise.reject(new Error('not yet')),
      { timeout: workerLimits.drainMs + 10_000, interval: 100 },
    );
    expect(ended).toMatchObject({ level: 'warn', release: 'r1' });
    const tookMs = performance.now() - switchedAt;
    expect(tookMs).toBeGreaterThan(workerLimits.drainMs - 100);
    expect((await stuck)[0].statusCode).toBe(502);
    const stats = await host.stats();
    expect(stats).toMatchObject({ release: 'r2', failures: 1, inFlight: 0 });
    expect((await fetchFrom(target, { path: '/' })).text).toBe('new');
  },
);
