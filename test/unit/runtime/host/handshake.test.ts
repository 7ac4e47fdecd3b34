import { expect, test } from 'vitest';
import { originAllowed, readHandshake } from '../../../../runtime/host/websocket/handshake.ts';

const good = { 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };

test('readHandshake reads the protocols that are offered', () => {
  expect(readHandshake(good)).toEqual({ ok: true, protocols: [] });
  expect(readHandshake({ ...good, 'sec-websocket-protocol': 'a, b,c' })).toEqual({
    ok: true,
    protocols: ['a', 'b', 'c'],
  });
});

test.each([
  ['no version', { ...good, 'sec-websocket-version': undefined }, 'FN_UPGRADE_REQUIRED'],
  ['version 8', { ...good, 'sec-websocket-version': '8' }, 'FN_UPGRADE_REQUIRED'],
  ['two versions', { ...good, 'sec-websocket-version': '13, 13' }, 'FN_UPGRADE_REQUIRED'],
  ['no key', { ...good, 'sec-websocket-key': undefined }, 'FN_BAD_REQUEST'],
  ['a key of 15 bytes', { ...good, 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25j' }, 'FN_BAD_REQUEST'],
  ['an empty protocol', { ...good, 'sec-websocket-protocol': 'a,,b' }, 'FN_BAD_REQUEST'],
  ['a protocol in quotes', { ...good, 'sec-websocket-protocol': '"a"' }, 'FN_BAD_REQUEST'],
  ['a protocol twice', { ...good, 'sec-websocket-protocol': 'a, a' }, 'FN_BAD_REQUEST'],
])('readHandshake refuses %s', (_name, headers, code) => {
  expect(readHandshake(headers)).toMatchObject({ ok: false, code });
});

test.each([
  ['no origin', undefined, 'a.example', null, true],
  ['the same host', 'https://a.example', 'a.example', null, true],
  ['the same host in capitals', 'https://a.example', 'A.Example', null, true],
  ['the same port', 'http://a.example:8080', 'a.example:8080', null, true],
  ['the port of the scheme, written out', 'https://a.example', 'a.example:443', null, true],
  ['another port', 'https://a.example:8443', 'a.example', null, false],
  ['an IPv6 host', 'http://[::1]:3000', '[::1]:3000', null, true],
  ['another host', 'https://b.example', 'a.example', null, false],
  ['a host that ends alike', 'https://nota.example', 'a.example', null, false],
  ['a sandboxed page', 'null', 'a.example', null, false],
  ['a page of no host', 'file://', 'a.example', null, false],
  ['two origins', 'https://a.example, https://b.example', 'a.example', null, false],
  ['an empty one', '', 'a.example', null, false],
  ['a listed one', 'https://b.example', 'a.example', ['https://b.example'], true],
  ['the scheme of a listed one', 'http://b.example', 'a.example', ['https://b.example'], false],
  ['any, when all are listed', 'null', 'a.example', ['*'], true],
] as const)('originAllowed judges %s', (_name, origin, host, allowed, expected) => {
  expect(originAllowed(origin, { host, allowed })).toBe(expected);
});
