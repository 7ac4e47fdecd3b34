import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Reply } from '../../../../runtime/channel/frames.ts';
import { partsOf } from '../../../../runtime/channel/response-start.ts';
import { BadHeadError, replyOf } from '../../../../runtime/worker/reply-text.ts';

const base = { status: 200, statusText: '', headers: [] as string[], body: null, requestId: 'id', method: 'GET' };
const id = 'x-request-id: id\r\n';

/** What follows the first lines. */
function restOf({ text }: Reply): string {
  const { headerLines, content } = partsOf(text);
  return `${headerLines}\r\n${content}`;
}

test('replyOf puts a short ASCII body behind its head', () => {
  const reply = replyOf({ ...base, body: 'four', headers: ['content-length', '99', 'x-a', '1'] });
  expect(restOf(reply)).toBe(`x-a: 1\r\n${id}content-length: 4\r\n\r\nfour`);
  expect(reply).toMatchObject({ body: null, announcedBytes: -1 });
});

test('replyOf sends text beyond ASCII, and long text, as bytes of their length', () => {
  const reply = replyOf({ ...base, body: 'grün' });
  expect(restOf(reply)).toBe(`${id}content-length: 5\r\n\r\n`);
  expect(reply.body).toEqual(new TextEncoder().encode('grün'));
  expect(replyOf({ ...base, body: 'a'.repeat(100_000) }).body).toHaveLength(100_000);
});

test('replyOf keeps the length that a streaming handler announces', () => {
  const reply = replyOf({ ...base, body: true, headers: ['content-length', '12'] });
  expect([reply.announcedBytes, restOf(reply), reply.body]).toEqual([12, `${id}content-length: 12\r\n\r\n`, true]);
  const unknown = replyOf({ ...base, body: true, headers: ['content-length', 'many'] });
  expect([unknown.announcedBytes, restOf(unknown)]).toEqual([-1, `${id}\r\n`]);
});

test('replyOf drops what belongs to the connection and the platform', () => {
  const connection = ['connection', 'close', 'transfer-encoding', 'chunked', 'upgrade', 'h2c'];
  const headers = [...connection, 'x-request-id', 'forged', 'vary', 'a'];
  expect(restOf(replyOf({ ...base, headers }))).toBe(`vary: a\r\n${id}content-length: 0\r\n\r\n`);
});

test.each([
  [204, ''],
  [205, 'content-length: 0\r\n'],
  [304, 'content-length: 7\r\n'],
])('replyOf frames a %i as the RFC wants it', (status, rest) => {
  const reply = replyOf({ ...base, status, headers: ['content-length', '7'] });
  expect(restOf(reply)).toBe(`${id}${rest}\r\n`);
  expect(reply).toMatchObject({ body: null, announcedBytes: -1 });
});

test('replyOf answers HEAD with the length that GET would have', () => {
  const reply = replyOf({ ...base, method: 'HEAD', body: 'four' });
  expect([restOf(reply), reply.body]).toEqual([`${id}content-length: 4\r\n\r\n`, null]);
  expect(replyOf({ ...base, method: 'HEAD', headers: ['content-length', '9'] }).text).toContain('content-length: 9');
});

test('replyOf adds a Date unless the handler set one', () => {
  const own = replyOf({ ...base, headers: ['date', 'Thu, 01 Jan 1970 00:00:00 GMT'] }).text;
  expect(own.match(/^date: .*$/gim)).toEqual(['date: Thu, 01 Jan 1970 00:00:00 GMT']);
  expect(replyOf(base).text).toMatch(/^HTTP\/1\.1 200 OK\r\nDate: [\w, :]+ GMT\r\nConnection: keep-alive\r\n/);
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

test('replyOf makes the same of a response whatever came before it', () => {
  const sent = ['x-a: 1', 'x-a: 2', 'x-b: 1', 'date: today', `x-long: ${'v'.repeat(1_000)}`];
  const unsent = ['content-length: 3', 'connection: close', 'te: 1'];
  const bad = ['x-a: 1\n', 'x a: 1', 'x-b: \x00', 'connection: \n'];
  const field = fc.constantFrom(...sent, ...sent, ...unsent, ...bad);
  fc.assert(
    fc.property(fc.array(fc.array(field, { maxLength: 20 }), { maxLength: 8 }), (responses) => {
      for (const fields of responses) {
        const headers = fields.flatMap((each) => each.split(': '));
        if (fields.some((each) => bad.includes(each))) {
          expect(() => replyOf({ ...base, headers })).toThrow(BadHeadError);
          continue;
        }
        const reply = replyOf({ ...base, headers });
        const lines = fields.filter((each) => sent.includes(each)).map((each) => `${each}\r\n`);
        expect(restOf(reply)).toBe(`${lines.join('')}${id}content-length: 0\r\n\r\n`);
        expect(/^Date: /m.test(reply.text)).toBe(!fields.includes('date: today'));
      }
    }),
  );
});
