import { expect, test } from 'vitest';
import { BadHeadError, replyOf } from '../../../../runtime/worker/reply-text.ts';

const base = { status: 200, statusText: '', headers: [] as string[], body: null, requestId: 'id', method: 'GET' };
const id = 'x-request-id: id\r\n';

test('replyOf puts a short ASCII body behind its head', () => {
  const reply = replyOf({ ...base, body: 'four', headers: ['content-length', '99', 'x-a', '1'] });
  expect(reply).toMatchObject({ text: `x-a: 1\r\n${id}content-length: 4\r\n\r\nfour`, body: null, announcedBytes: -1 });
});

test('replyOf sends text beyond ASCII, and long text, as bytes of their length', () => {
  const reply = replyOf({ ...base, body: 'grün' });
  expect(reply.text).toBe(`${id}content-length: 5\r\n\r\n`);
  expect(reply.body).toEqual(new TextEncoder().encode('grün'));
  expect(replyOf({ ...base, body: 'a'.repeat(100_000) }).body).toHaveLength(100_000);
});

test('replyOf keeps the length that a streaming handler announces', () => {
  const reply = replyOf({ ...base, body: true, headers: ['content-length', '12'] });
  expect([reply.announcedBytes, reply.text, reply.body]).toEqual([12, `${id}content-length: 12\r\n\r\n`, true]);
  expect(replyOf({ ...base, body: true, headers: ['content-length', 'many'] })).toMatchObject({
    announcedBytes: -1,
    text: `${id}\r\n`,
  });
});

test('replyOf drops what belongs to the connection and the platform', () => {
  const connection = ['connection', 'close', 'transfer-encoding', 'chunked', 'upgrade', 'h2c'];
  const headers = [...connection, 'x-request-id', 'forged', 'vary', 'a'];
  expect(replyOf({ ...base, headers }).text).toBe(`vary: a\r\n${id}content-length: 0\r\n\r\n`);
});

test.each([
  [204, ''],
  [205, 'content-length: 0\r\n'],
  [304, 'content-length: 7\r\n'],
])('replyOf frames a %i as the RFC wants it', (status, rest) => {
  const reply = replyOf({ ...base, status, headers: ['content-length', '7'] });
  expect(reply).toMatchObject({ text: `${id}${rest}\r\n`, body: null, announcedBytes: -1 });
});

test('replyOf answers HEAD with the length that GET would have', () => {
  expect(replyOf({ ...base, method: 'HEAD', body: 'four' })).toMatchObject({
    text: `${id}content-length: 4\r\n\r\n`,
    body: null,
  });
  expect(replyOf({ ...base, method: 'HEAD', headers: ['content-length', '9'] }).text).toContain('content-length: 9');
});

test('replyOf tells of a Date that the handler set', () => {
  expect(replyOf({ ...base, headers: ['date', 'Thu, 01 Jan 1970 00:00:00 GMT'] }).hasDate).toBe(true);
  expect(replyOf(base).hasDate).toBe(false);
});

test.each([
  ['x-a', 'b\r\nset-cookie: stolen'],
  ['x-a', 'b\nc'],
  ['x-a', '\0'],
  ['x a', 'b'],
  ['x-a', '€'],
])('replyOf refuses the header %j with the value %j', (name, value) => {
  expect(() => replyOf({ ...base, headers: ['ok', '1', name, value] })).toThrow(BadHeadError);
});

test.each([199, 1_000, 200.5, Number.NaN, '200 OK\r\nx-forged: 1'])('replyOf refuses the status %j', (status) => {
  expect(() => replyOf({ ...base, status: status as number })).toThrow(BadHeadError);
});

test.each(['OK\r\nx-forged: 1', 'OK\n', '\0', 'œ', 5])('replyOf refuses the status text %j', (statusText) => {
  expect(() => replyOf({ ...base, statusText: statusText as string })).toThrow(BadHeadError);
});
