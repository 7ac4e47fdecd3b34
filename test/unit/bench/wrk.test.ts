import { expect, test } from 'vitest';
import { parseWrk } from '../../bench/load/wrk.ts';

const report = (more = ''): string => `Running 3s test @ http://127.0.0.1:41231/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.46ms  402.11us  12.35ms   93.40%
    Req/Sec    21.80k     1.35k   23.06k    86.67%
  65041 requests in 3.00s, 12.90MB read
${more}Requests/sec:  21669.08
Transfer/sec:      4.30MB
`;

test('parseWrk reads rate and count', () => {
  expect(parseWrk(report())).toEqual({ requestsPerSecond: 21_669.08, requests: 65_041, failures: 0 });
});

test('parseWrk adds up socket errors and answers that are no success', () => {
  const errors = '  Socket errors: connect 1, read 20, write 300, timeout 4000\n  Non-2xx or 3xx responses: 50000\n';
  expect(parseWrk(report(errors)).failures).toBe(54_321);
});

test('parseWrk throws with what wrk said when it measured nothing', () => {
  expect(() => parseWrk('unable to connect to 127.0.0.1:1 Connection refused\n')).toThrow(
    /no rate.*Connection refused/s,
  );
});
