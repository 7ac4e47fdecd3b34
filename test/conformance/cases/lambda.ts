import { expect } from 'vitest';
import { appHost, get, type Case, type Expectation } from '../case.ts';

const all256 = Uint8Array.from({ length: 256 }, (_, i) => i);

function result(kind: string, expectation: Expectation): Case {
  return get(`lambda result: ${kind}`, `/lambda/result?kind=${kind}`, expectation);
}

/** Asks for the event that a function got. */
function event(name: string, path: string, look: (event: any, response: { id: string }) => void): Case {
  return {
    name: `lambda event: ${name}`,
    run: async ({ request }) => {
      const response = await request({
        path,
        headers: [
          ['X-Custom-Case', 'Value'],
          ['X-Multi', '1'],
          ['X-Multi', '2'],
          ['Cookie', 'c=1; d=2'],
          ['User-Agent', 'conformance/1'],
        ],
      });
      expect(response.status, response.text).toBe(200);
      look(response.json(), { id: response.headers['x-request-id'] ?? '' });
    },
  };
}

function body(name: string, sent: { body?: string | Uint8Array; type?: string }, wanted: object): Case {
  const { body: content, type } = sent;
  const headers = type === undefined ? [] : [['content-type', type] as const];
  return {
    name: `lambda body: ${name}`,
    request: { method: 'POST', path: '/lambda/body', headers, ...(content === undefined ? {} : { body: content }) },
    expect: { jsonLike: wanted },
  };
}

const now = () => Date.now();
/** More than one frame to a worker takes. */
const long = 'abcdefghij'.repeat(20_000);

/** AWS Lambda handlers behind an HTTP API. */
export const lambdaCases: readonly Case[] = [
  event('the whole of payload 2.0', '/lambda/event?a=1&a=2&b=x%20y', ({ event, rest }, { id }) => {
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'ANY /lambda/event',
      rawPath: '/lambda/event',
      rawQueryString: 'a=1&a=2&b=x%20y',
      cookies: ['c=1', 'd=2'],
      headers: { 'x-custom-case': 'Value', 'x-multi': '1,2', host: appHost, 'user-agent': 'conformance/1' },
      queryStringParameters: { a: '1,2', b: 'x y' },
      isBase64Encoded: false,
      requestContext: {
        accountId: expect.any(String),
        apiId: expect.any(String),
        domainName: appHost,
        domainPrefix: 'conformance',
        http: {
          method: 'GET',
          path: '/lambda/event',
          protocol: 'HTTP/1.1',
          sourceIp: expect.any(String),
          userAgent: 'conformance/1',
        },
        requestId: id,
        routeKey: 'ANY /lambda/event',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
      },
    });
    expect(Math.abs(event.requestContext.timeEpoch - now())).toBeLessThan(10_000);
    expect(Object.keys(event.headers).filter((name) => name !== name.toLowerCase())).toEqual([]);
    expect(event).not.toHaveProperty('body');
    expect(event).not.toHaveProperty('pathParameters');
    expect(rest).toBe(1);
  }),
  event('no query leaves its members out', '/lambda/event', ({ event }) => {
    expect(event.rawQueryString).toBe('');
    expect(event).not.toHaveProperty('queryStringParameters');
  }),
  event('path parameters', '/lambda/event/a%20b/x/y', ({ event }) => {
    expect(event.pathParameters).toEqual({ id: 'a b', rest: 'x/y' });
    expect(event.routeKey).toBe('ANY /lambda/event/{id}/{rest+}');
  }),
  event('payload 1.0 keeps the case of headers', '/lambda/v1?a=1&a=2', (event, { id }) => {
    expect(event).toMatchObject({
      version: '1.0',
      resource: '/lambda/v1',
      path: '/lambda/v1',
      httpMethod: 'GET',
      headers: { 'X-Custom-Case': 'Value', 'X-Multi': '2', Cookie: 'c=1; d=2' },
      multiValueHeaders: { 'X-Multi': ['1', '2'] },
      queryStringParameters: { a: '2' },
      multiValueQueryStringParameters: { a: ['1', '2'] },
      pathParameters: null,
      body: null,
      isBase64Encoded: false,
      requestContext: { httpMethod: 'GET', requestId: id, identity: { userAgent: 'conformance/1' } },
    });
  }),
  get('lambda 1.0: multiValueHeaders of the result', '/lambda/v1', { cookies: ['a=1', 'b=2'] }),
  {
    name: 'lambda context: remaining time, ids and names',
    run: async ({ request }) => {
      const response = await request({ path: '/lambda/context' });
      const context = response.json();
      const id = response.headers['x-request-id'];
      expect(context).toMatchObject({
        awsRequestId: id,
        eventId: id,
        functionName: 'lambda/context',
        functionVersion: 'string',
        memoryLimitInMB: 'string',
        waits: true,
      });
      expect(context.before).toBeLessThanOrEqual(10_000);
      expect(context.before - context.after).toBeGreaterThanOrEqual(18);
      expect(Number.isInteger(context.after)).toBe(true);
    },
  },
  result('string', { text: 'just a string', headers: { 'content-type': 'application/json' } }),
  result('object', {
    json: { message: 'no statusCode', nested: { a: [1, 2] } },
    headers: { 'content-type': 'application/json' },
  }),
  result('array', { json: [1, 2, 3] }),
  result('full', {
    status: 201,
    text: '{"made":true}',
    headers: { 'x-made': 'yes', 'content-type': 'application/json' },
  }),
  result('no-body', { status: 202, text: '' }),
  result('no-content', { status: 204, text: '' }),
  result('redirect', { status: 302, headers: { location: '/elsewhere' } }),
  result('cookies', { text: 'x', cookies: ['a=1; Path=/', 'b=2; HttpOnly'] }),
  result('base64', { bytes: [0x89, 0x50, 0x4e, 0x47, 0, 255], headers: { 'content-type': 'image/png' } }),
  result('multi-value', { cookies: ['m=1', 'n=2'], headers: { 'x-one': 'plain', 'x-many': '1, 2' } }),
  result('header-types', { headers: { 'x-number': '7', 'x-true': 'true', 'x-false': 'false' } }),
  result('bad-status', { problem: 'FN_BAD_RESPONSE' }),
  result('bad-header', { problem: 'FN_BAD_RESPONSE', headers: { 'x-injected': null } }),
  result('bad-name', { problem: 'FN_BAD_RESPONSE' }),
  result('throw', { problem: 'FN_HANDLER_FAILED' }),
  body('none', {}, { has: false, base64: false }),
  body('JSON is text', { body: '{"ä":1}', type: 'application/json' }, { base64: false, text: '{"ä":1}' }),
  body('text is text', { body: 'Grüße', type: 'text/plain; charset=utf-8' }, { base64: false, text: 'Grüße' }),
  body('bytes are base64', { body: all256, type: 'application/octet-stream' }, { base64: true, bytes: [...all256] }),
  body('bytes without a type survive', { body: all256 }, { base64: true, bytes: [...all256] }),
  body(
    'Latin-1 text survives',
    { body: Buffer.from('caf\u00e9', 'latin1'), type: 'text/plain; charset=iso-8859-1' },
    {
      bytes: [99, 97, 102, 0xe9],
    },
  ),
  body('an image is base64', { body: all256, type: 'image/png' }, { base64: true, bytes: [...all256] }),
  body(
    'a form arrives whole',
    { body: 'a=1&b=%C3%BC', type: 'application/x-www-form-urlencoded' },
    { text: 'a=1&b=%C3%BC' },
  ),
  {
    name: 'lambda body: 200 kB in chunks arrive as one',
    request: {
      method: 'POST',
      path: '/lambda/body',
      body: [long.slice(0, 9), long.slice(9)],
      headers: [['content-type', 'text/plain']],
    },
    expect: { jsonLike: { base64: false, text: long } },
  },
  get('lambda style: callback, and a timer left behind', '/lambda/callback', { text: 'called back' }),
  get('lambda style: callback with an error', '/lambda/callback?fail=1', { problem: 'FN_HANDLER_FAILED' }),
  get('lambda style: context.done', '/lambda/legacy', { text: 'succeeded' }),
  get('lambda style: handler named by a setting, CommonJS', '/lambda/named', { text: 'hello from /lambda/named' }),
  get('lambda style: module.exports replaced', '/lambda/replaced', { text: 'module.exports replaced' }),
  get('lambda style: the named export wins over the default', '/lambda/both', { text: 'the named handler' }),
  get('lambda adapter: subtree by setting', '/lambda/hono/users/7?q=a&q=b', { json: { id: '7', q: ['a', 'b'] } }),
  {
    name: 'lambda adapter: binary both ways',
    request: {
      method: 'POST',
      path: '/lambda/hono/echo',
      body: all256,
      headers: [['content-type', 'application/octet-stream']],
    },
    expect: { bytes: all256 },
  },
  {
    name: 'lambda adapter: cookies both ways',
    request: { path: '/lambda/hono/cookies', headers: [['cookie', 'x=1; y=2']] },
    expect: { text: 'x=1; y=2', cookies: ['a=1', 'b=2'] },
  },
  { name: 'lambda: HEAD', request: { method: 'HEAD', path: '/lambda/event' }, expect: { text: '' } },
];
