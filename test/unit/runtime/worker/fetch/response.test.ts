import { expect, test } from 'vitest';
import { installFetch } from '../../../../../runtime/worker/fetch/install.ts';
import { native } from '../../../../../runtime/worker/fetch/native.ts';
import { plainResponse } from '../../../../../runtime/worker/fetch/response.ts';

installFetch();
const NativeResponse = native().Response;

const inits: [string, () => Response][] = [
  ['text', () => new Response('text')],
  ['null', () => new Response(null, { status: 204 })],
  ['nothing', () => new Response()],
  ['bytes', () => new Response(new Uint8Array([1, 2, 3]))],
  ['a buffer', () => new Response(new Uint8Array([1, 2]).buffer)],
  ['own type', () => new Response('x', { headers: { 'Content-Type': 'text/html', 'X-A': 'b' } })],
  ['status text', () => new Response('x', { status: 404, statusText: 'Gone Fishing' })],
  [
    'headers object',
    () =>
      new Response('x', {
        headers: new Headers([
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
        ]),
      }),
  ],
  [
    'pairs',
    () =>
      new Response('x', {
        headers: [
          ['a', '1'],
          ['a', '2'],
        ],
      }),
  ],
  ['names in two cases', () => new Response('x', { headers: { a: '1', A: '2' } })],
  ['padded value', () => new Response('x', { headers: { a: ' 1 ' } })],
  ['json', () => Response.json({ a: 1 })],
  [
    'json with type',
    () => Response.json({ a: 1 }, { headers: { 'content-type': 'application/ld+json' }, status: 201 }),
  ],
  ['json with pairs', () => Response.json({ a: 1 }, { headers: [['x', 'y']] })],
  ['search params', () => new Response(new URLSearchParams('a=1'))],
  ['blob', () => new Response(new Blob(['x'], { type: 'text/x' }))],
];

test.each(inits)('Response made of %s is what the native class makes', async (_name, make) => {
  const fast = make();
  const replacement = globalThis.Response;
  globalThis.Response = NativeResponse;
  const standard = make();
  globalThis.Response = replacement;
  const facts = async (response: Response): Promise<unknown> => [
    response.status,
    response.statusText,
    response.ok,
    response.type,
    [...response.headers],
    [...new Uint8Array(await response.arrayBuffer())],
    response.bodyUsed,
  ];
  expect(await facts(fast)).toEqual(await facts(standard));
});

test.each([
  ['a status below 200', () => new Response('x', { status: 100 })],
  ['a status above 599', () => new Response('x', { status: 600 })],
  ['a body with 204', () => new Response('x', { status: 204 })],
  ['a line break in a header', () => new Response('x', { headers: { a: 'b\r\nc: d' } })],
  ['a space in a name', () => new Response('x', { headers: { 'a b': 'c' } })],
  ['a line break in the status text', () => new Response('x', { statusText: 'a\nb' })],
  ['undefined as JSON', () => Response.json(undefined)],
])('Response refuses %s, as the native class does', (_name, make) => {
  expect(make).toThrow(Error);
});

test('Response keeps its class relations', async () => {
  const response = new Response('a');
  class Own extends Response {}
  expect(response instanceof Response).toBe(true);
  expect(new Own('b') instanceof Own).toBe(true);
  expect(response instanceof Own).toBe(false);
  expect(new NativeResponse('c') instanceof Response).toBe(true);
  expect(response instanceof NativeResponse).toBe(true);
  const copy = response.clone();
  expect([await copy.text(), await response.text(), response.bodyUsed]).toEqual(['a', 'a', true]);
});

test('Response is not changed by bytes that change after it was made', async () => {
  const bytes = new Uint8Array([1]);
  const response = new Response(bytes);
  bytes[0] = 9;
  expect(plainResponse(response)!.body).toEqual(new Uint8Array([1]));
});

test('a header set after the response was made is sent, read or not', async () => {
  const response = new Response('a', { headers: { 'x-early': '1' } });
  response.headers.set('x-late', '2');
  response.headers.delete('x-early');
  expect(plainResponse(response)!.headers).toEqual(['content-type', 'text/plain;charset=UTF-8', 'x-late', '2']);
  const copy = response.clone();
  expect([copy.headers.get('x-late'), copy.headers.has('x-early'), response.headers.get('x-late')]).toEqual([
    '2',
    false,
    '2',
  ]);
  response.headers.set('x-later', '3');
  expect(response.clone().headers.get('x-later')).toBe('3');
});

test('Response takes another response as its init', async () => {
  const first = new Response('a', { status: 201, headers: { 'x-a': '1' } });
  const second = new Response(first.body, first);
  expect([second.status, second.headers.get('x-a'), await second.text()]).toEqual([201, '1', 'a']);
});

test('Response.redirect makes a response with a location', () => {
  const response = Response.redirect('http://a.example/b c', 301);
  expect([response.status, response.headers.get('location')]).toEqual([301, 'http://a.example/b%20c']);
  expect(() => Response.redirect('/relative')).toThrow(TypeError);
  expect(() => Response.redirect('http://a.example/', 200 as never)).toThrow(RangeError);
});

test('Response takes the own headers of an object and not the inherited ones', () => {
  const headers = Object.assign(Object.create({ inherited: '1' }) as object, { own: '2' }) as Record<string, string>;
  expect([...new Response(null, { headers }).headers]).toEqual([['own', '2']]);
});

test('Response.redirect takes its status as a text', () => {
  expect(Response.redirect('http://a.example/', '301' as unknown as 301).status).toBe(301);
});
