import { join } from 'node:path';
import { cpuTimeMs, median, round } from '../measure.ts';
import type { BenchCase } from '../report.ts';
import { startServer } from '../server.ts';
import { wrk } from '../wrk.ts';

const fixture = join(import.meta.dirname, '../fixtures/json');

const sides = [
  {
    name: 'fnrun',
    start: (profile?: string) => startServer('fnrun-app.ts', profile === undefined ? [fixture] : [fixture, profile]),
  },
  { name: '@hono/node-server', start: () => startServer('hono-node-server.ts') },
  { name: 'node:http', start: () => startServer('node-http.ts') },
];

/** Warm JSON: throughput and CPU per request, all sides alternating in each round. */
export const json: BenchCase = {
  name: 'json',
  summary: 'warm JSON handler: throughput and CPU per request against @hono/node-server and node:http',
  load: true,
  async run({ rounds, profile, say, report }) {
    await using stack = new AsyncDisposableStack();
    const running = [];
    for (const side of sides)
      running.push({
        ...side,
        server: stack.use(await side.start(profile)),
        rps: [] as number[],
        cpuUs: [] as number[],
      });
    for (const { server } of running) await wrk(server.url, { seconds: 2 });
    for (let index = 0; index < rounds; index++) {
      for (const { name, server, rps, cpuUs } of running) {
        const before = await cpuTimeMs(server.pid);
        const result = await wrk(server.url);
        const cpuMs = (await cpuTimeMs(server.pid)) - before;
        if (result.failures > 0) throw new Error(`${name} failed ${result.failures} of ${result.requests} requests`);
        rps.push(result.requestsPerSecond);
        cpuUs.push((cpuMs * 1000) / result.requests);
        say(
          `round ${index + 1} ${name}: ${round(result.requestsPerSecond)} req/s, ${round(cpuUs.at(-1)!)} µs CPU per request`,
        );
      }
    }
    const [own, ...peers] = running;
    for (const { name, rps, cpuUs } of running) {
      report({ case: 'json', name: `${name} throughput`, value: round(median(rps)), unit: 'req/s', samples: rounds });
      report({
        case: 'json',
        name: `${name} CPU per request`,
        value: round(median(cpuUs)),
        unit: 'µs',
        samples: rounds,
      });
    }
    for (const { name, rps, cpuUs } of peers) {
      const isHono = name === '@hono/node-server';
      report({
        case: 'json',
        name: `throughput, fnrun / ${name}`,
        value: round(median(own!.rps.map((value, i) => value / rps[i]!))),
        unit: 'x',
        samples: rounds,
        ...(isHono && { target: '>= 1.0' }),
      });
      report({
        case: 'json',
        name: `CPU per request, fnrun / ${name}`,
        value: round(median(own!.cpuUs.map((value, i) => value / cpuUs[i]!))),
        unit: 'x',
        samples: rounds,
        ...(isHono && { target: '<= 1.5' }),
      });
    }
  },
};
