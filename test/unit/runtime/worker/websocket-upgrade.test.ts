import { expect, test } from 'vitest';
import { readUpgrade } from '../../../../runtime/worker/websocket-upgrade.ts';

const offered = ['v2', 'v1'];

test.each([
  ['nothing', undefined, { headers: [], protocol: 'v2' }],
  ['null', null, { headers: [], protocol: 'v2' }],
  ['true', true, { headers: [], protocol: 'v2' }],
  ['an empty object', {}, { headers: [], protocol: 'v2' }],
  ['a protocol', { protocol: 'v1' }, { headers: [], protocol: 'v1' }],
  ['headers', { headers: { 'X-A': '1' } }, { headers: ['x-a', '1'], protocol: 'v2' }],
  ['a Headers', new Headers([['x-a', '1']]), { headers: ['x-a', '1'], protocol: 'v2' }],
  ['a protocol among headers', new Headers({ 'sec-websocket-protocol': 'v1' }), { headers: [], protocol: 'v1' }],
  [
    'headers of the handshake and of the connection',
    new Headers({
      connection: 'close',
      upgrade: 'x',
      'sec-websocket-accept': 'x',
      'content-length': '3',
      'x-request-id': 'x',
    }),
    { headers: [], protocol: 'v2' },
  ],
])('readUpgrade accepts with %s', (_name, returned, answer) => {
  expect(readUpgrade(returned, offered)).toEqual({ kind: 'accepted', ...answer });
});

test('readUpgrade names no protocol where none is offered', () => {
  expect(readUpgrade(undefined, [])).toMatchObject({ protocol: '' });
});

test('readUpgrade refuses with any Response', () => {
  for (const response of [
    new Response('no', { status: 401 }),
    Response.json({}),
    new Response(null, { status: 204 }),
  ]) {
    expect(readUpgrade(response, offered)).toEqual({ kind: 'refused', response });
  }
});

test.each([
  ['a string', 'yes', /a value of type string/],
  ['false', false, /a value of type boolean/],
  ['a protocol that is none', { protocol: 1 }, /a protocol of type number/],
  ['a protocol that was not offered', { protocol: 'v3' }, /"v3", which the client did not offer/],
  ['a header beyond ASCII', new Headers({ 'x-a': '\u00e9' }), /x-a that is not plain ASCII/],
])('readUpgrade says what is wrong with %s', (_name, returned, message) => {
  expect(() => readUpgrade(returned, offered)).toThrow(message);
});
