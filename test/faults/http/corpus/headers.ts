import {
  get,
  host,
  nginxRefuses,
  passes,
  post,
  refused,
  request,
  type HttpCase,
  type Outcome,
  type Saw,
} from '../case.ts';

/** A GET with these lines, and the headers that the handler must or must not see. */
function header(name: string, lines: readonly string[], headers: NonNullable<Saw['headers']>): HttpCase {
  return { name: `headers: ${name}`, send: get(lines), expect: passes('GET /g', { headers }) };
}

const tooLarge: Outcome = { answers: [431], then: 'closed', seen: [], code: 'FN_BAD_REQUEST' };
const notMine = /^(?!.*6\.6\.6\.6)/;

/** Behind the gateway and nginx these are theirs; on the socket whoever is in front is trusted to set them. */
function forwarded(name: string, lines: readonly string[], behind: NonNullable<Saw['headers']>): HttpCase {
  const then = lines[0]?.startsWith('Connection: close') === true ? 'closed' : 'kept';
  const outcome: Outcome = { ...passes('GET /g', { headers: behind }), then };
  return {
    name: `headers: ${name}`,
    send: get(lines),
    expect: { ...passes('GET /g'), then },
    gateway: outcome,
    nginx: outcome,
  };
}

/** What a client may not say, or say twice. */
export const headerCases: readonly HttpCase[] = [
  forwarded('X-Forwarded-For is overwritten', ['X-Forwarded-For: 6.6.6.6'], { 'x-forwarded-for': notMine }),
  forwarded('X-Forwarded-For twice is overwritten', ['X-Forwarded-For: 6.6.6.6', 'X-Forwarded-For: 6.6.6.6'], {
    'x-forwarded-for': notMine,
  }),
  forwarded('X-Forwarded-Proto is overwritten', ['X-Forwarded-Proto: https'], { 'x-forwarded-proto': 'http' }),
  forwarded('X-Forwarded-Host is overwritten', ['X-Forwarded-Host: evil.test'], {
    'x-forwarded-host': 'one.localhost',
  }),
  forwarded(
    'other X-Forwarded-*, X-Real-IP and Forwarded are dropped',
    [
      'X-Forwarded-Port: 1',
      'X-Forwarded-Server: s',
      'X-Forwarded-Prefix: /p',
      'X-Forwarded-Ssl: on',
      'X-Real-IP: 6.6.6.6',
      'Forwarded: for=6.6.6.6',
    ],
    {
      'x-forwarded-port': null,
      'x-forwarded-server': null,
      'x-forwarded-prefix': null,
      'x-forwarded-ssl': null,
      'x-real-ip': null,
      forwarded: null,
    },
  ),
  forwarded(
    'a name in Connection does not take away what the proxy says',
    ['Connection: close, X-Forwarded-For, X-Forwarded-Proto', 'X-Forwarded-For: 6.6.6.6'],
    {
      'x-forwarded-for': /^[\d.:]+$/,
      'x-forwarded-proto': 'http',
    },
  ),
  header('x-fnrun-* is dropped', ['X-Fnrun-App: other', 'x-fnrun-: 1', 'X-FNRUN-Connection: x-kept', 'X-Kept: k'], {
    'x-fnrun-app': null,
    'x-fnrun-': null,
    'x-fnrun-connection': null,
  }),
  header('a good X-Request-Id is kept', ['X-Request-Id: good-1'], { 'x-request-id': /^good-1$/ }),
  header('a bad X-Request-Id is replaced', ['X-Request-Id: bad id'], { 'x-request-id': /^[\w.-]{1,128}$/ }),
  {
    ...header('two X-Request-Ids are replaced', ['X-Request-Id: a', 'X-Request-Id: b'], {
      'x-request-id': /^[\w.-]{3,128}$/,
    }),
    // nginx before 1.23 has only the first one in $http_x_request_id; from then on both, which is no id.
    nginx: passes('GET /g', { headers: { 'x-request-id': /^(a|[\w.-]{3,128})$/ } }),
  },
  header('an X-Request-Id of 129 characters is replaced', [`X-Request-Id: ${'x'.repeat(129)}`], {
    'x-request-id': /^[\w.-]{1,128}$/,
  }),
  header('those named in Connection are dropped', ['Connection: keep-alive, X-Hop', 'X-Hop: 1', 'X-Kept: k'], {
    'x-hop': null,
    'x-kept': 'k',
  }),
  header(
    'those named in Connection are dropped in any case',
    ['CONNECTION: x-HOP,,X-Other', 'x-hop: 1', 'X-OTHER: 2'],
    {
      'x-hop': null,
      'x-other': null,
    },
  ),
  {
    name: 'headers: those named in a second Connection are dropped',
    send: get(['Connection: keep-alive', 'Connection: X-Hop', 'X-Hop: 1']),
    expect: passes('GET /g', { headers: { 'x-hop': null } }),
    // nginx before 1.23 has only the first one in $http_connection.
    nginx: passes('GET /g', { headers: { 'x-hop': '1' } }),
  },
  header(
    'those of one connection are dropped',
    ['Keep-Alive: timeout=5', 'Proxy-Connection: keep-alive', 'TE: trailers'],
    {
      'keep-alive': null,
      'proxy-connection': null,
      te: null,
    },
  ),
  header('a repeated one is one list', ['X-A: 1', 'x-a: 2', 'X-A: 3'], { 'x-a': '1, 2, 3' }),
  header('cookies in several lines are one', ['Cookie: a=1', 'Cookie: b=2'], { cookie: 'a=1; b=2' }),
  header('an empty value', ['X-A:'], { 'x-a': '' }),
  header('white space around a value is not part of it', ['X-A: \t b c \t '], { 'x-a': 'b c' }),
  header('a name with every character of a token', ["!#$%&'*+-.^`|~09azAZ: v"], { "!#$%&'*+-.^`|~09azaz": 'v' }),
  header('an underscore is no hyphen', ['X_Under: 1', 'X-Under: 2'], { x_under: '1', 'x-under': '2' }),
  header('__proto__ is a name like others', ['__proto__: 1', 'constructor: 2'], { constructor: '2' }),
  header(
    '100 of them',
    Array.from({ length: 100 }, (_, i) => `X-N${i}: ${i}`),
    { 'x-n0': '0', 'x-n99': '99' },
  ),
  header('a value of 8,000 bytes', [`X-A: ${'a'.repeat(8_000)}`], { 'x-a': 'a'.repeat(8_000) }),
  { name: 'headers: one of 20 KB', send: get([`X-A: ${'a'.repeat(20_000)}`]), expect: tooLarge, nginx: nginxRefuses },
  {
    name: 'headers: a name of 20 KB',
    send: get([`X-${'a'.repeat(20_000)}: b`]),
    expect: tooLarge,
    nginx: nginxRefuses,
  },
  {
    name: 'headers: 20 KB in all',
    send: get(Array.from({ length: 20 }, (_, i) => `X-N${i}: ${'a'.repeat(1_000)}`)),
    expect: tooLarge,
    nginx: nginxRefuses,
  },
  {
    name: 'headers: a name of 20 KB without an end',
    send: `GET /g HTTP/1.1\r\n${host}\r\n${'a'.repeat(20_000)}`,
    expect: tooLarge,
    nginx: nginxRefuses,
  },
  {
    name: 'headers: 5,000 short ones',
    send: get(Array.from({ length: 5_000 }, () => 'a:b')),
    expect: tooLarge,
    nginx: nginxRefuses,
  },
  {
    name: 'headers: two Content-Types',
    send: post(['Content-Type: text/plain', 'Content-Type: text/html', 'Content-Length: 1'], 'a'),
    expect: refused,
  },
  {
    name: 'headers: two Authorizations',
    send: get(['Authorization: Bearer a', 'Authorization: Bearer b']),
    expect: refused,
  },
  {
    name: 'headers: two Hosts of the same name, in another case',
    send: request('GET /g HTTP/1.1', [host, 'HOST: one.localhost']),
    expect: refused,
  },
];
