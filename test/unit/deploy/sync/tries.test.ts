import { expect, test } from 'vitest';
import { AcmeRefusal } from '../../../../deploy/sync/certificates/acme.ts';
import { explainRefusal } from '../../../../deploy/sync/certificates/explain.ts';
import { failedTry, mayTry, parseTries, type Tries } from '../../../../deploy/sync/certificates/tries.ts';

const hour = 3_600_000;
const words = { message: 'no', hint: 'wait' };
const fail = (before: Tries | undefined, nowMs: number, retryAfterMs: number | null = null): Tries =>
  failedTry(before, { nowMs, retryAfterMs, counts: true, ...words });

test('the pauses after failures grow to a day', () => {
  let tries: Tries | undefined;
  const pauses: number[] = [];
  for (let nowMs = 0, i = 0; i < 7; i += 1, nowMs = tries.nextAtMs) {
    tries = fail(tries, nowMs);
    pauses.push((tries.nextAtMs - nowMs) / hour);
    expect(mayTry(tries, { nowMs: tries.nextAtMs - 1, askedAtMs: null })).toBe(false);
    expect(mayTry(tries, { nowMs: tries.nextAtMs, askedAtMs: null })).toBe(true);
  }
  expect(pauses).toEqual([0.25, 1, 4, 12, 24, 24, 24]);
});

test('who asks is tried for at once, once for each time, four times an hour', () => {
  let tries = fail(undefined, 0);
  expect(mayTry(tries, { nowMs: 1000, askedAtMs: 0 })).toBe(false);
  for (const nowMs of [1000, 2000, 3000]) {
    expect(mayTry(tries, { nowMs, askedAtMs: nowMs - 1 })).toBe(true);
    tries = fail(tries, nowMs);
  }
  expect(mayTry(tries, { nowMs: 4000, askedAtMs: 3999 })).toBe(false);
  expect(mayTry(tries, { nowMs: hour + 500, askedAtMs: hour })).toBe(true);
});

test('the CA may say how long, and what it was not asked has no pause', () => {
  expect(fail(undefined, 10, 7 * hour).nextAtMs).toBe(10 + 7 * hour);
  const unasked = failedTry(fail(undefined, 0), { nowMs: 5, retryAfterMs: null, counts: false, ...words });
  expect(unasked).toMatchObject({ failures: 1, at: [0], nextAtMs: 5 });
  expect(parseTries('{ half')).toEqual({});
});

test.each([
  ['dns', /DNS has no usable address/, /A record of x\.test.*203\.0\.113\.7/],
  ['connection', /cannot connect to x\.test on port 80/, /firewall/],
  ['unauthorized', /leads to another machine/, /203\.0\.113\.7/],
  ['caa', /CAA record/, /take the record away/],
  ['rateLimited', /no more certificates for now/, /tried again/],
  [null, /could not be asked: why/, /tried again/],
  ['odd', /no certificate for x\.test.*\(odd\)/, /tried again/],
])('a refusal is told in words (%s)', (type, message, hint) => {
  const told = explainRefusal('x.test', new AcmeRefusal('why.', { type }), { addresses: ['203.0.113.7'] });
  expect(told.message).toMatch(message);
  expect(told.hint).toMatch(hint);
});
