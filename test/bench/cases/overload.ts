import { workerLimits } from '../../../runtime/contract/limits.ts';
import { openLoop } from '../load/run-open-loop.ts';
import { wrk } from '../load/wrk.ts';
import { median, round } from '../measure.ts';
import { own, type BenchCase } from '../report.ts';
import { fnrun } from '../sides.ts';

const times = 3;
/** More than a function's workers and its queue hold, so that the server is what refuses. */
const connections = 8_192;
/** Longer than a request may wait in the queue: what comes after is how it goes on. */
const warmUpSeconds = Math.ceil(workerLimits.queueMs / 1000) + 1;

/** Three times the peak, offered whatever the answers are; the handler computes, so that refusing competes for the CPU. */
export const overload: BenchCase = {
  name: 'overload',
  summary: `${times} × what the 5 ms handler can carry, open loop: goodput, and how fast the excess is refused`,
  needs: ['wrk'],
  async run({ rounds, seconds = 5, profile, report, say }) {
    await using server = await fnrun.start('cpu', { profile });
    await wrk(server.url, { seconds: 1 });
    const peak: number[] = [];
    const goodput: number[] = [];
    const refusedP50: number[] = [];
    const refusedP99: number[] = [];
    const acceptedP50: number[] = [];
    const acceptedP99: number[] = [];
    let failedAtPeak = 0;
    let lost = 0;
    for (let index = 0; index < rounds; index++) {
      const { requestsPerSecond, failures: failed } = await wrk(server.url, { seconds });
      const offered = { requestsPerSecond: requestsPerSecond * times, seconds, connections, warmUpSeconds };
      const result = await openLoop(server.url, offered);
      const { ok, refused } = result;
      peak.push(requestsPerSecond);
      goodput.push(result.goodput);
      acceptedP50.push(ok.p50);
      acceptedP99.push(ok.p99);
      refusedP50.push(refused.p50);
      refusedP99.push(refused.p99);
      failedAtPeak += failed;
      lost += result.offered - ok.count - refused.count;
      say(
        `round ${index + 1}: peak ${round(requestsPerSecond)} req/s, offered ${round(offered.requestsPerSecond)}, goodput ${round(result.goodput)}; ` +
          `accepted p50 ${ok.p50} ms; refused ${refused.count} p50 ${refused.p50} ms; ${JSON.stringify(result.outcomes)}`,
      );
    }
    const base = { case: 'overload', side: own, samples: rounds };
    const tell = (name: string, values: number[], unit: string): void =>
      report({ ...base, name, value: round(median(values)), unit, rounds: values.map(round) });
    tell('peak', peak, 'req/s');
    tell(`goodput at ${times} × the peak`, goodput, 'req/s');
    const ratios = goodput.map((value, i) => value / peak[i]!);
    report({
      ...base,
      name: `goodput at ${times} × the peak`,
      over: 'peak',
      value: round(median(ratios)),
      unit: 'x',
      rounds: ratios.map(round),
      target: { least: 0.9 },
    });
    tell('refused with 503 after, p50', refusedP50, 'ms');
    tell('refused with 503 after, p99', refusedP99, 'ms');
    tell('accepted and answered after, p50', acceptedP50, 'ms');
    tell('accepted and answered after, p99', acceptedP99, 'ms');
    const none = { unit: 'requests', target: { most: 0 } };
    report({ ...base, ...none, name: 'failed at the peak, 32 connections', value: failedAtPeak });
    report({ ...base, ...none, name: 'neither answered nor refused', value: lost });
  },
};
