import { openLoop } from '../load/run-open-loop.ts';
import { wrk } from '../load/wrk.ts';
import { median, round } from '../measure.ts';
import { own, type BenchCase } from '../report.ts';
import type { BenchServer } from '../server.ts';
import { allSides } from '../sides.ts';

const requestsPerSecond = 1_000;
const connections = 256;
const percents = ['p50', 'p99', 'p999'] as const;

/** Latency of the warm JSON handler at a rate that every side can carry. */
export const latency: BenchCase = {
  name: 'latency',
  summary: `latency of the JSON handler at a fixed ${requestsPerSecond.toLocaleString('en-US')} req/s, open loop`,
  needs: ['wrk', 'peers'],
  async run({ rounds, seconds = 4, profile, report, missing, say }) {
    await using stack = new AsyncDisposableStack();
    const running: { name: string; server: BenchServer; times: Record<string, number[]>; failures: number }[] = [];
    for (const { name, start, version } of allSides) {
      if (profile !== undefined && name !== own) continue;
      try {
        version();
        const server = stack.use(await start('json', { profile }));
        running.push({ name, server, times: { p50: [], p99: [], p999: [], lag: [] }, failures: 0 });
      } catch (error) {
        if (name === own) throw error;
        missing({ case: 'latency', side: name, why: error instanceof Error ? error.message : String(error) });
      }
    }
    // At this rate alone it would take long until all of its code is compiled.
    for (const { server } of running) await wrk(server.url, { seconds: Math.min(2, seconds) });
    for (let index = 0; index < rounds; index++) {
      for (let turn = 0; turn < running.length; turn++) {
        const side = running[(index + turn) % running.length]!;
        const { ok, lag, offered } = await openLoop(side.server.url, { requestsPerSecond, seconds, connections });
        for (const percent of percents) side.times[percent]!.push(ok[percent]);
        // There is none when every connection was busy all the time.
        if (lag.count > 0) side.times['lag']!.push(lag.p50);
        side.failures += offered - ok.count;
        say(
          `round ${index + 1} ${side.name}: p50 ${ok.p50} ms, p99 ${ok.p99} ms, p99.9 ${ok.p999} ms, generator late by ${lag.p50} ms`,
        );
      }
    }
    const base = { case: 'latency', samples: rounds };
    for (const { name: side, times, failures } of running) {
      for (const percent of percents)
        report({
          ...base,
          side,
          name: percent.replace('p999', 'p99.9'),
          value: round(median(times[percent]!)),
          unit: 'ms',
          rounds: times[percent]!,
        });
      const lags = times['lag']!;
      if (lags.length > 0)
        report({ ...base, side, name: 'generator late by, p50', value: round(median(lags)), unit: 'ms', rounds: lags });
      if (side === own || failures > 0)
        report({
          ...base,
          side,
          name: 'failed requests',
          value: failures,
          unit: 'requests',
          ...(side === own && { target: { most: 0 } }),
        });
    }
  },
};
