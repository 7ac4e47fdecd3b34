import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FastHeaders } from '../../../../../runtime/worker/fetch/headers.ts';
import { installFetch } from '../../../../../runtime/worker/fetch/install.ts';
import { native } from '../../../../../runtime/worker/fetch/native.ts';

installFetch();
const NativeHeaders = native().Headers;

const name = fc.constantFrom('a', 'A', 'x-b', 'X-B', 'set-cookie', 'Set-Cookie', 'content-type', 'zz', 'a b', '', 'é');
const value = fc.oneof(
  fc.constantFrom('', ' padded ', '1', 'a, b', 'x\r\ny', '\0', 'ÿ', '€', '\tq'),
  fc.string({ maxLength: 5 }),
);
const step = fc.oneof(
  fc.tuple(fc.constantFrom('append' as const, 'set' as const), name, value),
  fc.tuple(fc.constantFrom('delete' as const, 'get' as const, 'has' as const), name),
);

function outcome(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error instanceof TypeError ? 'TypeError' : error;
  }
}

test('Headers does what the native class does, whatever is done to it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const fast = new FastHeaders();
      const standard = new NativeHeaders();
      for (const [method, ...args] of steps) {
        const call = (headers: object): unknown =>
          outcome(() => (headers as Record<string, (...a: unknown[]) => unknown>)[method]!(...args));
        expect(call(fast)).toEqual(call(standard));
      }
      expect([...fast]).toEqual([...standard]);
      expect([...fast.keys()]).toEqual([...standard.keys()]);
      expect([...fast.values()]).toEqual([...standard.values()]);
      expect(fast.getSetCookie()).toEqual(standard.getSetCookie());
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['nothing', undefined],
  ['a record', { b: '2', A: '1' }],
  [
    'pairs',
    [
      ['a', '1'],
      ['A', '2'],
    ],
  ],
  ['a map', new Map([['a', '1']])],
  [
    'native headers',
    new NativeHeaders([
      ['set-cookie', 'a'],
      ['set-cookie', 'b'],
    ]),
  ],
  ['null', null],
  ['a number', 3],
  ['a triple', [['a', 'b', 'c']]],
  ['a bad name', { 'a b': '1' }],
  ['no string', { a: 1 }],
])('Headers made of %s are those of the native class', (_name, init) => {
  const make = (Class: typeof Headers): unknown => outcome(() => [...new Class(init as never)]);
  expect(make(FastHeaders as never)).toEqual(make(NativeHeaders));
});

test('Headers are accepted where native ones are', () => {
  const headers = new Headers({ 'x-a': '1' });
  headers.append('set-cookie', 'a=1');
  headers.append('set-cookie', 'b=2');
  expect(headers instanceof Headers).toBe(true);
  expect(new NativeHeaders() instanceof Headers).toBe(true);
  expect(new NativeHeaders(headers).getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(new Headers(headers).getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(new Request('http://a.example/', { headers }).headers.get('x-a')).toBe('1');
  expect(Object.prototype.toString.call(headers)).toBe('[object Headers]');
});

test('Headers of a client keep repeated lines in order', () => {
  const headers = FastHeaders.fromRaw(['Accept', 'a', 'accept', 'b', 'Cookie', 'c=1', 'cookie', 'd=2']);
  expect([headers.get('accept'), headers.get('cookie')]).toEqual(['a, b', 'c=1; d=2']);
});

test('Headers passes over what was deleted while it is read', () => {
  const headers = new Headers({ a: '1', b: '2', c: '3' });
  const seen: unknown[] = [];
  for (const entry of headers) {
    headers.delete('b');
    seen.push(entry);
  }
  expect(seen).toEqual([
    ['a', '1'],
    ['c', '3'],
  ]);
});
