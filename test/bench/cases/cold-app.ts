import { performance } from 'node:perf_hooks';
import { join } from 'node:path';
import { fetchFrom, targetOf } from '../../support/http.ts';
import { percentiles, round } from '../measure.ts';
import { own, type BenchCase } from '../report.ts';
import { startOwn } from '../server.ts';

const samples = 20;
/** Clients that come at once while no host runs, in every second sample. */
const burst = 50;

/** First call of an app whose host is stopped; the connections come while it starts. */
export const coldApp: BenchCase = {
  name: 'cold-app',
  summary: 'first call of an app whose host is stopped',
  needs: [],
  async run({ report, say }) {
    await using server = await startOwn('fnrun-app.ts', [
      join(import.meta.dirname, '../fixtures/json'),
      '--idle',
      '200',
    ]);
    const target = targetOf(server.url);
    const single: number[] = [];
    const slowest: number[] = [];
    let refused = 0;
    for (let i = 0; i < samples * 2; i++) {
      await server.ask('asleep');
      const clients = i % 2 === 0 ? 1 : burst;
      const before = performance.now();
      const times = await Promise.all(
        Array.from({ length: clients }, async () => {
          const status = await fetchFrom(target, { path: '/' }).then(
            (response) => response.status,
            (error: Error) => error.message,
          );
          if (status !== 200) {
            refused++;
            say(`a first call got ${status}`);
          }
          return performance.now() - before;
        }),
      );
      if (clients === 1) single.push(times[0]!);
      else slowest.push(Math.max(...times));
    }
    const base = { case: 'cold-app', side: own, samples };
    const [p50, p95] = percentiles(single, [50, 95]);
    report({ ...base, name: 'first call p50', value: round(p50!), unit: 'ms', target: { most: 120 } });
    report({ ...base, name: 'first call p95', value: round(p95!), unit: 'ms' });
    const [burstP50] = percentiles(slowest, [50]);
    report({ ...base, name: `last of ${burst} at once, p50`, value: round(burstP50!), unit: 'ms' });
    report({
      ...base,
      name: 'refused',
      samples: samples * (burst + 1),
      value: refused,
      unit: 'requests',
      target: { most: 0 },
    });
  },
};
