import { STATUS_CODES } from 'node:http';
import { expect, test } from 'vitest';
import { reasonPhrases } from '../../../../runtime/channel/reason-phrases.ts';
import { framed, partsOf, responseStart } from '../../../../runtime/channel/response-start.ts';

const noon = Date.UTC(2026, 0, 1, 12);
const plain = { status: 200, statusText: '', hasDate: false };
const connection = 'Connection: keep-alive\r\nKeep-Alive: timeout=75\r\n';

test('reasonPhrases are those of node:http', () => {
  expect(reasonPhrases).toEqual(STATUS_CODES);
});

test('responseStart says status, date and connection, anew each second', () => {
  const date = (seconds: number): string => `Date: Thu, 01 Jan 2026 12:00:0${seconds} GMT\r\n`;
  expect(responseStart(plain, noon)).toBe(`HTTP/1.1 200 OK\r\n${date(0)}${connection}`);
  expect(responseStart(plain, noon + 999)).toBe(`HTTP/1.1 200 OK\r\n${date(0)}${connection}`);
  expect(responseStart(plain, noon + 1_000)).toBe(`HTTP/1.1 200 OK\r\n${date(1)}${connection}`);
  // The wall clock may be set back.
  expect(responseStart(plain, noon)).toBe(`HTTP/1.1 200 OK\r\n${date(0)}${connection}`);
  expect(responseStart({ ...plain, status: 299 }, noon)).toContain('HTTP/1.1 299 unknown\r\n');
  expect(responseStart({ status: 404, statusText: 'Gone Fishing', hasDate: true }, noon)).toBe(
    `HTTP/1.1 404 Gone Fishing\r\n${connection}`,
  );
});

test('framed tells how the body is framed and that the connection ends, and leaves a body alone that reads like a head', () => {
  const start = responseStart(plain, noon);
  const text = `${start}x-a: 1\r\n\r\n${connection}`;
  const before = start.slice(0, -connection.length);
  const after = `x-a: 1\r\n\r\n${connection}`;
  expect(framed(text, { keepAlive: true, chunked: false })).toBe(text);
  expect(framed(text, { keepAlive: false, chunked: false })).toBe(`${before}Connection: close\r\n${after}`);
  const chunked = 'Transfer-Encoding: chunked\r\n';
  expect(framed(text, { keepAlive: true, chunked: true })).toBe(`${start}${chunked}${after}`);
  expect(framed(text, { keepAlive: false, chunked: true })).toBe(`${before}Connection: close\r\n${chunked}${after}`);
});

test.each([
  ['OK', { headerLines: 'x-a: 1\r\n', content: 'a\r\n\r\nb' }],
  ['', { headerLines: '', content: 'x-a: 1\r\n\r\n' }],
  ['Gone Fishing', { headerLines: 'date: today\r\nx-b: 2\r\n', content: '' }],
])('partsOf takes a response apart again: %j', (statusText, rest) => {
  const text = `${responseStart({ ...plain, statusText }, noon)}${rest.headerLines}\r\n${rest.content}`;
  expect(partsOf(text)).toEqual({ reason: statusText || 'OK', ...rest });
});
