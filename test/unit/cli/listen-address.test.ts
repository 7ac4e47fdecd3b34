import { expect, test } from 'vitest';
import { parseListenAddress } from '../../../cli/listen-address.ts';

test.each([
  ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
  ['0.0.0.0:0', { host: '0.0.0.0', port: 0 }],
  ['localhost:80', { host: 'localhost', port: 80 }],
  ['[::1]:8080', { host: '::1', port: 8080 }],
  ['8080', { host: '127.0.0.1', port: 8080 }],
  ['none', null],
])('parseListenAddress reads %s', (text, expected) => {
  expect(parseListenAddress(text)).toEqual(expected);
});

test.each(['', ':80', 'a:b', '127.0.0.1:70000', '::1:80', 'http://x:80'])('parseListenAddress refuses %j', (text) => {
  expect(() => parseListenAddress(text)).toThrowError(expect.objectContaining({ code: 'FN_USAGE' }));
});
