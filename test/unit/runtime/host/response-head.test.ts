import { expect, test } from 'vitest';
import { headOf } from '../../../../runtime/host/response-head.ts';

const base = { status: 200, headers: [] as string[], body: null as never, requestId: 'id', method: 'GET' };

test('headOf gives a body that is there its length in bytes, whatever the handler said', () => {
  const head = headOf({ ...base, body: 'grün' as never, headers: ['content-length', '99', 'x-a', '1'] });
  expect(head).toMatchObject({
    headers: ['x-a', '1', 'x-request-id', 'id', 'content-length', '5'],
    announcedBytes: null,
    withoutBody: false,
  });
});

test('headOf keeps the length that a streaming handler announces', () => {
  const head = headOf({ ...base, body: true as never, headers: ['content-length', '12'] });
  expect([head.announcedBytes, head.headers.includes('content-length')]).toEqual([12, true]);
  expect(headOf({ ...base, body: true as never, headers: ['content-length', 'many'] }).announcedBytes).toBeNull();
});

test('headOf drops what belongs to the connection and the platform', () => {
  const headers = [
    'connection',
    'close',
    'transfer-encoding',
    'chunked',
    'x-request-id',
    'forged',
    'upgrade',
    'h2c',
    'vary',
    'a',
  ];
  expect(headOf({ ...base, headers }).headers).toEqual(['vary', 'a', 'x-request-id', 'id', 'content-length', '0']);
});

test.each([
  [204, []],
  [205, ['content-length', '0']],
  [304, ['content-length', '7']],
])('headOf frames a %i as the RFC wants it', (status, rest) => {
  const head = headOf({ ...base, status, headers: ['content-length', '7'] });
  expect(head).toMatchObject({ headers: ['x-request-id', 'id', ...rest], announcedBytes: null, withoutBody: true });
});

test('headOf answers HEAD with the length that GET would have', () => {
  expect(headOf({ ...base, method: 'HEAD', body: 'four' as never }).headers).toContain('4');
  expect(headOf({ ...base, method: 'HEAD', headers: ['content-length', '9'] }).headers).toContain('9');
  expect(headOf({ ...base, method: 'HEAD', body: 'four' as never }).withoutBody).toBe(true);
});
