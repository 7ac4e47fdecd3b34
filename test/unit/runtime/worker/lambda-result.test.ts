import { expect, test } from 'vitest';
import { lambdaResponse } from '../../../../runtime/worker/lambda-result.ts';

const facts = async (response: Response): Promise<unknown> => [
  response.status,
  Object.fromEntries(response.headers),
  await response.text(),
];

test.each([
  ['a string', 'hi', [200, { 'content-type': 'application/json' }, 'hi']],
  ['an object without statusCode', { a: 1 }, [200, { 'content-type': 'application/json' }, '{"a":1}']],
  [
    'a statusCode as text',
    { statusCode: '201', body: 'x' },
    [201, { 'content-type': 'text/plain;charset=utf-8' }, 'x'],
  ],
  ['odd header values', { statusCode: 200, headers: { A: 1, B: true, C: null } }, [200, { a: '1', b: 'true' }, '']],
  [
    'base64',
    { statusCode: 200, body: 'aGk=', isBase64Encoded: true, headers: { 'content-type': 'a/b' } },
    [200, { 'content-type': 'a/b' }, 'hi'],
  ],
  ['a body with 204', { statusCode: 204, body: '' }, [204, { 'content-type': 'text/plain;charset=utf-8' }, '']],
])('lambdaResponse reads %s', async (_name, result, expected) => {
  expect(await facts(lambdaResponse(result, '2.0'))).toEqual(expected);
});

test('lambdaResponse sends each cookie and each of several values', () => {
  const response = lambdaResponse(
    { statusCode: 200, cookies: ['a=1', 'b=2'], multiValueHeaders: { 'X-M': ['1', '2'] }, headers: { 'x-m': 'one' } },
    '2.0',
  );
  expect([response.headers.getSetCookie(), response.headers.get('x-m')]).toEqual([['a=1', 'b=2'], '1, 2']);
});

test('lambdaResponse refuses what cannot be sent, and says why', () => {
  expect(() => lambdaResponse({ statusCode: 99 }, '2.0')).toThrow(/statusCode 99/);
  expect(() => lambdaResponse({ statusCode: 200, headers: { 'a b': '1' } }, '2.0')).toThrow(
    /header that cannot be sent/,
  );
  expect(() => lambdaResponse({ a: 1 }, '1.0')).toThrow(/payload 1.0 needs/);
});
