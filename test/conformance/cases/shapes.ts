import { get, type Case } from '../case.ts';

const json = ['content-type', 'application/json'] as const;

/** Per-method exports, `{ fetch }` modules, Hono apps and CommonJS. */
export const shapeCases: readonly Case[] = [
  get('methods: GET', '/methods', { text: 'got', headers: { 'x-handler': 'GET' } }),
  {
    name: 'methods: POST',
    request: { method: 'POST', path: '/methods', body: '{"a":1}', headers: [json] },
    expect: { status: 201, json: { posted: { a: 1 } } },
  },
  {
    name: 'methods: another method gets 405 with Allow',
    request: { method: 'DELETE', path: '/methods' },
    expect: { problem: 'FN_METHOD_NOT_ALLOWED', allow: ['GET', 'HEAD', 'POST', 'OPTIONS'] },
  },
  {
    name: 'methods: HEAD is answered by GET',
    request: { method: 'HEAD', path: '/methods' },
    expect: { text: '', headers: { 'x-handler': 'GET' } },
  },
  {
    name: 'methods: OPTIONS is answered by the platform',
    request: { method: 'OPTIONS', path: '/methods' },
    expect: { status: 204, text: '', allow: ['GET', 'HEAD', 'POST', 'OPTIONS'] },
  },
  {
    name: 'methods: with a parameter and a body',
    request: { method: 'PUT', path: '/methods/a%20b', body: 'content' },
    expect: { json: { handler: 'PUT', method: 'PUT', id: 'a b', text: 'content' } },
  },
  {
    name: 'methods: renamed export',
    request: { method: 'DELETE', path: '/methods/7' },
    expect: { status: 204, text: '' },
  },
  {
    name: 'methods: own HEAD',
    request: { method: 'HEAD', path: '/methods/own' },
    expect: { headers: { 'x-handler': 'own HEAD' } },
  },
  {
    name: 'methods: own OPTIONS',
    request: { method: 'OPTIONS', path: '/methods/own' },
    expect: { status: 204, headers: { 'x-handler': 'own OPTIONS' } },
  },
  get('methods: the method wins over a default', '/methods/default', { text: 'the method' }),
  {
    name: 'methods: the default answers the others',
    request: { method: 'PATCH', path: '/methods/default' },
    expect: { text: 'the default, PATCH' },
  },
  { name: 'config.methods: listed', request: { method: 'POST', path: '/limited' }, expect: { text: 'POST' } },
  {
    name: 'config.methods: not listed',
    request: { method: 'PUT', path: '/limited' },
    expect: { problem: 'FN_METHOD_NOT_ALLOWED', allow: ['GET', 'HEAD', 'POST', 'OPTIONS'] },
  },
  { name: 'config.methods: HEAD comes with GET', request: { method: 'HEAD', path: '/limited' }, expect: { text: '' } },
  {
    name: 'config.methods: OPTIONS',
    request: { method: 'OPTIONS', path: '/limited' },
    expect: { status: 204, allow: ['GET', 'HEAD', 'POST', 'OPTIONS'] },
  },
  {
    name: 'method: TRACE reaches no handler',
    request: { method: 'TRACE', path: '/echo' },
    expect: { status: 405, headers: { allow: /GET/ } },
  },
  {
    name: 'fetch: gets request, env and ctx, with this',
    request: { method: 'POST', path: '/fetch', body: 'content' },
    expect: {
      jsonLike: {
        self: 'the module',
        method: 'POST',
        text: 'content',
        sameEnv: true,
        function: 'fetch',
        params: {},
        waitUntil: 'function',
        passThrough: 'function',
      },
    },
  },
  get('fetch: an instance of a class keeps its private fields', '/instance', { text: 'from a private field' }),
  get('hono: root', '/hono', { text: 'hono root' }),
  get('hono: parameter and query', '/hono/users/ada%20l?q=x', { json: { name: 'ada l', query: 'x' } }),
  {
    name: 'hono: JSON body',
    request: { method: 'POST', path: '/hono/json', body: '[1]', headers: [json] },
    expect: { status: 201, json: { got: [1] } },
  },
  {
    name: 'hono: form body',
    request: {
      method: 'POST',
      path: '/hono/form',
      body: 'a=1&b=2',
      headers: [['content-type', 'application/x-www-form-urlencoded']],
    },
    expect: { json: { a: '1', b: '2' } },
  },
  {
    name: 'hono: cookies both ways',
    request: { path: '/hono/cookie', headers: [['cookie', 'seen=yes']] },
    expect: { text: 'yes', cookies: ['a=1; Path=/', 'b=2; Path=/'] },
  },
  get('hono: server-sent events', '/hono/sse', {
    text: 'data: one\n\ndata: two\n\n',
    headers: { 'content-type': /^text\/event-stream/ },
  }),
  get('hono: executionCtx and env', '/hono/execution', { json: { env: 'object' } }),
  get("hono: its own 404 is the app's", '/hono/none', { status: 404, text: '404 Not Found' }),
  get('hono: its own 500 is passed on', '/hono/throw', { status: 500, text: 'Internal Server Error' }),
  get('commonjs: module.exports is a function', '/cjs/web', { text: 'a CommonJS function, cjs/web' }),
  get('commonjs: exports.GET', '/cjs/methods', { text: 'a CommonJS GET' }),
  {
    name: 'commonjs: exports.GET, another method',
    request: { method: 'POST', path: '/cjs/methods' },
    expect: { problem: 'FN_METHOD_NOT_ALLOWED', allow: ['GET', 'HEAD', 'OPTIONS'] },
  },
  get('commonjs: module.exports is { fetch }', '/cjs/fetch/below', { text: 'a CommonJS fetch, /cjs/fetch/below' }),
];
