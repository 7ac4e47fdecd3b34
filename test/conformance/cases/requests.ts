import { expect } from 'vitest';
import { appHost, get, type Case } from '../case.ts';

const all256 = Uint8Array.from({ length: 256 }, (_, i) => i);
const json = ['content-type', 'application/json'] as const;
const text = ['content-type', 'text/plain;charset=utf-8'] as const;
const origin = `http://${appHost}`;
/** More than one frame to a worker takes. */
const long = 'abcdefghij'.repeat(20_000);

const multipart = [
  '--limit',
  'Content-Disposition: form-data; name="title"',
  '',
  'Grüße',
  '--limit',
  'Content-Disposition: form-data; name="file"; filename="a.bin"',
  'Content-Type: application/x-thing',
  '',
  '\u0000\u0001\r\n--lim',
  '--limit--',
  '',
].join('\r\n');

/** A header that the handler must see with that value. */
function sees(name: string, headers: [string, string][], seen: [string, string]): Case {
  return {
    name,
    run: async ({ request }) => {
      const response = await request({ path: '/echo', headers });
      expectHeader(response.json().headers, seen);
    },
  };
}

function expectHeader(headers: [string, string][], [name, value]: [string, string]): void {
  expect(new Map(headers).get(name), name).toBe(value);
}

/** The URL that the handler sees. */
function urlOf(name: string, { path = '/request?probe=url', headers = [], url }: UrlCase): Case {
  return { name: `request url: ${name}`, request: { path, headers }, expect: { json: { url, same: true } } };
}

interface UrlCase {
  path?: string;
  headers?: [string, string][];
  url: string;
}

/** Sends `body` to a probe of the request fixture. */
function probe(
  kind: string,
  wanted: unknown,
  request: Partial<Extract<Case, { request: object }>['request']> = {},
): Case {
  const sent = { method: 'POST', path: `/request?probe=${kind}`, ...request };
  return { name: `request: ${kind}`, request: sent, expect: { json: wanted } };
}

function echoes(name: string, request: object, seen: object): Case {
  return { name: `request: ${name}`, request: { path: '/echo', ...request }, expect: { jsonLike: seen } };
}

/** What a handler of the web standard shape sees of a request. */
export const requestCases: readonly Case[] = [
  echoes('GET has its method, URL and an empty body', {}, { method: 'GET', url: `${origin}/echo`, bytes: 0 }),
  echoes(
    'the query is kept as sent',
    { path: '/echo?a=1&a=2&b=%20x%2F&empty=&flag' },
    { url: `${origin}/echo?a=1&a=2&b=%20x%2F&empty=&flag` },
  ),
  echoes('a lone question mark is no fault', { path: '/echo?' }, { method: 'GET' }),
  get('request: an encoded path is not rewritten', '/fetch/a%2Fb/%C3%BC?x=%2B', {
    jsonLike: { url: `${origin}/fetch/a%2Fb/%C3%BC?x=%2B` },
  }),
  ...['PUT', 'PATCH', 'DELETE'].map((method) =>
    echoes(`${method} has a body`, { method, body: 'content', headers: [text] }, { method, text: 'content' }),
  ),
  echoes('OPTIONS reaches a web handler', { method: 'OPTIONS' }, { method: 'OPTIONS' }),
  echoes('a WebDAV method reaches a web handler', { method: 'PROPFIND' }, { method: 'PROPFIND' }),
  sees('request: header names are case-insensitive', [['X-Mixed-CASE', 'Value']], ['x-mixed-case', 'Value']),
  sees(
    'request: repeated headers are joined',
    [
      ['x-list', '1'],
      ['X-List', '2'],
    ],
    ['x-list', '1, 2'],
  ),
  sees('request: cookies arrive as one header', [['cookie', 'a=1; b=2']], ['cookie', 'a=1; b=2']),
  sees(
    'request: two cookie headers are joined by a semicolon',
    [
      ['cookie', 'a=1'],
      ['cookie', 'b=2'],
    ],
    ['cookie', 'a=1; b=2'],
  ),
  sees('request: the Host is seen', [], ['host', appHost]),
  sees('request: an empty header value stays', [['x-empty', '']], ['x-empty', '']),
  sees('request: Latin-1 in a header stays', [['x-name', 'caf\u00e9']], ['x-name', 'caf\u00e9']),
  sees('request: Authorization is passed', [['authorization', 'Bearer abc.def']], ['authorization', 'Bearer abc.def']),
  echoes(
    'UTF-8 text',
    { method: 'POST', body: 'Grüße, 世界 🌍', headers: [text] },
    { text: 'Grüße, 世界 🌍', bytes: 20 },
  ),
  echoes('a chunked body', { method: 'POST', body: ['one ', 'two ', 'three'] }, { text: 'one two three' }),
  echoes('an empty body with a length', { method: 'POST', body: '' }, { method: 'POST', bytes: 0 }),
  echoes('an empty chunked body', { method: 'POST', body: [] }, { method: 'POST', bytes: 0 }),
  echoes('POST without a body', { method: 'POST', headers: [['content-length', '0']] }, { method: 'POST', bytes: 0 }),
  echoes('a body of 200 kB', { method: 'POST', body: long }, { bytes: long.length }),
  echoes(
    'a chunked body of 200 kB',
    { method: 'POST', body: [long.slice(0, 7), long.slice(7)] },
    { bytes: long.length },
  ),
  echoes('a GET with a body is still a GET', { body: 'ignored' }, { method: 'GET' }),
  {
    name: 'request: binary comes back byte for byte',
    request: { method: 'POST', path: '/mirror', body: all256 },
    expect: { bytes: all256, headers: { 'content-type': 'application/octet-stream' } },
  },
  {
    name: 'request: 1 MB comes back whole',
    request: { method: 'POST', path: '/mirror', body: long.repeat(5) },
    expect: { text: long.repeat(5) },
  },
  probe('identity', { instance: true, tag: '[object Request]', headers: true, url: 'string' }),
  probe('json', { a: [1, { b: null }] }, { body: '{"a":[1,{"b":null}]}', headers: [json] }),
  probe('bad-json', { name: 'SyntaxError' }, { body: '{"a":', headers: [json] }),
  probe('text', 'plain', { body: 'plain' }),
  probe(
    'form',
    [
      ['a', '1'],
      ['b', 'x y'],
      ['a', 'ü'],
    ],
    {
      body: 'a=1&b=x+y&a=%C3%BC',
      headers: [['content-type', 'application/x-www-form-urlencoded']],
    },
  ),
  probe(
    'multipart',
    {
      title: 'Grüße',
      isFile: true,
      name: 'a.bin',
      type: 'application/x-thing',
      size: 9,
      bytes: [0, 1, 13, 10, 45, 45, 108, 105, 109],
    },
    {
      body: multipart,
      headers: [['content-type', 'multipart/form-data; boundary=limit']],
    },
  ),
  probe(
    'blob',
    { isBlob: true, type: 'image/png', size: 256 },
    { body: all256, headers: [['content-type', 'image/png']] },
  ),
  {
    name: 'request: a form in chunks',
    request: {
      method: 'POST',
      path: '/request?probe=form',
      body: ['--limit\r\nContent-Disposition: form-', 'data; name="a"\r\n\r\n', long, '\r\n--lim', 'it--\r\n'],
      headers: [['content-type', 'multipart/form-data; boundary=limit']],
    },
    expect: { json: [['a', long]] },
  },
  probe('bytes', [...all256], { body: all256 }),
  probe('array-buffer', { isBuffer: true, bytes: 256 }, { body: all256 }),
  probe('clone', { first: 'twice', second: 'twice', same: true }, { body: 'twice' }),
  probe('body-used', { before: false, after: true, again: 'TypeError' }, { body: 'once' }),
  probe('no-body', { body: true, text: '', used: false }, { method: 'GET' }),
  probe('signal', { instance: true, aborted: false }),
  probe(
    'wrap',
    { url: 'http://inner.invalid/path', method: 'POST', header: 'kept', text: 'inner' },
    { body: 'inner', headers: [['x-probe', 'kept']] },
  ),
  probe(
    'rebuild',
    { same: true, header: 'replaced', text: 'inner' },
    { body: 'inner', headers: [['x-probe', 'sent']] },
  ),
  probe('reader', { text: long, plain: true }, { body: [long] }),
  urlOf('the path and query are serialised as the URL standard says', {
    path: `/request?probe=url&q='"<>{}|\`^`,
    url: `${origin}/request?probe=url&q=%27%22%3C%3E{}|\`^`,
  }),
  urlOf('the host is in lower case and without the default port', {
    headers: [['Host', 'Conformance.LocalHost:80']],
    url: `${origin}/request?probe=url`,
  }),
  urlOf('another port stays', {
    headers: [['Host', `${appHost}:8080`]],
    url: `${origin}:8080/request?probe=url`,
  }),
  {
    name: 'request: who is in front tells the scheme on the socket, and nobody else does',
    run: async ({ request, way }) => {
      const forwarded = [
        ['x-forwarded-proto', 'https'],
        ['x-forwarded-for', '192.0.2.7'],
      ] as const;
      const { url } = (await request({ path: '/echo', headers: forwarded })).json();
      const { event } = (await request({ path: '/lambda/event', headers: forwarded })).json();
      const trusted = way === 'socket';
      expect(url).toBe(`${trusted ? 'https' : 'http'}://${appHost}/echo`);
      expect(event.requestContext.http.sourceIp).toBe(trusted ? '192.0.2.7' : '127.0.0.1');
    },
  },
  sees('request: a cookie of 8 kB', [['cookie', `long=${'x'.repeat(8_000)}`]], ['cookie', `long=${'x'.repeat(8_000)}`]),
  {
    name: 'request: a head of more than 16 kB gets 431',
    request: { path: '/ping', headers: [['x-long', 'x'.repeat(17_000)]] },
    expect: { status: 431, problem: 'FN_BAD_REQUEST' },
  },
  ...['new-request', 'init', 'parts'].map((way): Case => ({
    name: `request: passed on to an upstream, by ${way}`,
    request: { method: 'POST', path: `/proxy?way=${way}`, body: 'passed on', headers: [['x-probe', 'kept']] },
    expect: { json: { method: 'POST', probe: 'kept', body: 'passed on' } },
  })),
  probe('wrapped', { keys: ['params'], method: 'POST', text: 'wrapped' }, { body: 'wrapped' }),
  probe('headers-guard', { get: 'v', has: true, missing: null }, { headers: [['X-Probe', 'v']] }),
];
