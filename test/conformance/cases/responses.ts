import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { get, type Case, type Expectation } from '../case.ts';

const all256 = Array.from({ length: 256 }, (_, i) => i);

function kind(name: string, expectation: Expectation): Case {
  return get(`response: ${name}`, `/response?kind=${name}`, expectation);
}

function status(code: number): Case {
  return get(`response: a handler's own ${code} is passed on`, `/response?kind=status&status=${code}`, {
    status: code,
    text: 'with status',
    headers: { 'content-type': 'text/plain;charset=UTF-8' },
  });
}

/** What becomes of a response of the web standard shape. */
export const responseCases: readonly Case[] = [
  kind('string', { text: 'grüße', headers: { 'content-type': 'text/plain;charset=UTF-8', 'content-length': '7' } }),
  kind('empty', { text: '', headers: { 'content-length': '0' } }),
  kind('null', { text: '', headers: { 'content-type': null } }),
  kind('nothing', { text: '', headers: { 'content-type': null } }),
  kind('bytes', { bytes: all256, headers: { 'content-type': null, 'content-length': '256' } }),
  kind('array-buffer', { bytes: all256 }),
  kind('subarray', { bytes: all256.slice(10, 20) }),
  kind('buffer', { text: 'from a pooled buffer' }),
  kind('blob', { text: '<p>blob</p>', headers: { 'content-type': 'text/html' } }),
  {
    name: 'response: form',
    run: async ({ request }) => {
      const { body, headers } = await request({ path: '/response?kind=form' });
      const type = headers['content-type'] ?? '';
      expect(type).toMatch(/^multipart\/form-data; boundary=/);
      const form = await new Response(body, { headers: { 'content-type': type } }).formData();
      expect(form.get('field')).toBe('välue');
      expect(await (form.get('file') as File).text()).toBe('content');
    },
  },
  kind('params', { text: 'a=1&b=x+y', headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' } }),
  kind('stream', { text: 'one two three' }),
  kind('stream-bytes', { bytes: [...all256, ...all256] }),
  kind('iterable', { text: 'iters' }),
  kind('async-iterable', { text: 'made by hand' }),
  kind('node-stream', { text: 'from node' }),
  kind('byte-stream', { bytes: [1, 2, 3] }),
  kind('empty-stream', { text: '' }),
  kind('large-string', { text: 'ä'.repeat(500_000) }),
  kind('connection-headers', { text: 'x', headers: { 'x-kept': 'yes', 'keep-alive': null } }),
  {
    name: 'response: compressed by the handler',
    run: async ({ request }) => {
      const { body, headers } = await request({ path: '/response?kind=compressed' });
      expect(headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(body).toString()).toBe('squeezed '.repeat(100));
    },
  },
  get('response: of a fetch that came compressed', '/proxy?way=gzip', {
    text: 'compressed on the way here',
    headers: { 'content-type': 'text/plain', 'content-encoding': null, 'x-upstream': 'yes' },
  }),
  kind('json', { json: { ok: true, text: 'ä' }, headers: { 'content-type': 'application/json' } }),
  kind('json-status', { status: 201, json: { made: 1 }, headers: { 'x-made': 'yes' } }),
  kind('json-type', { json: {}, headers: { 'content-type': 'application/ld+json' } }),
  kind('redirect', { status: 307, headers: { location: 'https://example.invalid/there' } }),
  kind('redirect-default', { status: 302, headers: { location: 'https://example.invalid/there' } }),
  kind('redirect-relative', { status: 303, headers: { location: '/there?x=1' }, text: '' }),
  kind('cookies', { text: 'cookies', cookies: ['a=1; Path=/', 'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT'] }),
  kind('cookies-init', { cookies: ['a=1', 'b=2'], headers: { 'x-many': '1, 2' } }),
  kind('headers', { headers: { 'x-upper': 'Kept', 'cache-control': 'max-age=60', etag: '"v1"' } }),
  kind('header-later', { text: 'later', headers: { 'content-type': 'text/markdown', 'x-later': 'yes' } }),
  kind('header-latin1', { headers: { 'x-name': 'caf\u00e9' } }),
  ...[200, 201, 206, 404, 429, 500, 503, 599].map(status),
  kind('status-text', { status: 418, text: 'tea' }),
  kind('no-content', { status: 204, text: '', headers: { 'x-kept': 'yes', 'content-length': null } }),
  kind('reset-content', { status: 205, text: '' }),
  kind('not-modified', { status: 304, text: '', headers: { etag: '"v1"' } }),
  kind('clone', { text: 'cloned', headers: { 'x-clone': 'yes' } }),
  kind('rewrap', { status: 202, text: 'inner', headers: { 'x-inner': 'yes' } }),
  kind('fetched', { text: 'from fetch', headers: { 'content-type': 'text/plain' } }),
  kind('own-length', { text: '12345', headers: { 'content-length': '5' } }),
  kind('own-request-id', { text: 'x' }),
  kind('members', {
    json: {
      instance: true,
      tag: '[object Response]',
      type: 'default',
      ok: true,
      statusText: 'Made',
      used: false,
      contentType: 'text/plain;charset=UTF-8',
      body: true,
      none: null,
    },
  }),
  kind('foreign', { status: 203, text: 'from elsewhere', headers: { 'x-foreign': 'yes', 'content-encoding': null } }),
  kind('spread', { status: 202, json: [], headers: { 'x-copied': 'yes' } }),
  kind('refused', { json: ['TypeError', 'RangeError', 'TypeError', 'TypeError', 'TypeError'] }),
  kind('subclass', { text: '<p>', headers: { 'content-type': 'text/html', 'x-class': 'Html' } }),
  kind('copied-bytes', { bytes: [1, 2, 3] }),
  kind('async', { text: 'late' }),
  {
    name: 'response: HEAD has the headers and no body',
    request: { method: 'HEAD', path: '/response?kind=string' },
    expect: { text: '', headers: { 'content-type': 'text/plain;charset=UTF-8' } },
  },
  {
    name: 'response: HEAD of a stream ends',
    request: { method: 'HEAD', path: '/response?kind=stream' },
    expect: { text: '' },
  },
];
