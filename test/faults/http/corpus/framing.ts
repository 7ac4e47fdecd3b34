import {
  get,
  host,
  nginxMends,
  nginxRefuses,
  passes,
  post,
  refused,
  request,
  type HttpCase,
  type Outcome,
} from '../case.ts';

const chunkedPost = (body: string, trailers = '') => post(['Transfer-Encoding: chunked'], `${body}${trailers}`);

function chunks(name: string, body: string, nginx: Partial<Outcome> = brokenBody.nginx): HttpCase {
  return { name: `chunks: ${name}`, send: chunkedPost(body), ...brokenBody, nginx };
}

/** nginx 1.22 takes a bare LF for a line end and writes a CRLF itself: the app sees one request in any case. */
function lf(name: string, send: string): HttpCase {
  return { name: `lines: bare LF ${name}`, send, expect: refused, nginx: nginxMends('GET /g') };
}

/** The head was good and the handler called: it sees its body fail, and the client gets 400. nginx reads bodies first. */
const brokenBody = {
  expect: { ...refused, mayHaveSeen: 'POST /p' },
  nginx: { ...nginxRefuses, mayHaveSeen: 'POST /p' },
};

/** Lines, folds, chunks and trailers: the grammar of RFC 9112. */
export const framingCases: readonly HttpCase[] = [
  lf('for every line end', `GET /g HTTP/1.1\n${host}\n\n`),
  lf('behind the request line', `GET /g HTTP/1.1\n${host}\r\n\r\n`),
  lf('behind a header', `GET /g HTTP/1.1\r\n${host}\nX-A: b\r\n\r\n`),
  lf('for the empty line', `GET /g HTTP/1.1\r\n${host}\r\n\n`),
  { name: 'lines: bare CR in a header value', send: get(['X-A: b\rX-B: c']), expect: refused },
  { name: 'lines: bare CR behind the request line', send: `GET /g HTTP/1.1\r${host}\r\n\r\n`, expect: refused },
  { name: 'lines: CR CR LF', send: `GET /g HTTP/1.1\r\r\n${host}\r\n\r\n`, expect: refused },
  { name: 'lines: one empty line before the request is skipped', send: `\r\n${get()}`, expect: passes('GET /g') },
  { name: 'lines: a header without a colon', send: get(['X-A b']), expect: refused },
  { name: 'lines: a header without a name', send: get([': b']), expect: refused },
  { name: 'lines: a space in a header name', send: get(['X A: b']), expect: refused },
  { name: 'lines: a space before the colon', send: get(['X-A : b']), expect: refused },
  { name: 'lines: a header folded (obs-fold)', send: get(['X-A: b', ' c']), expect: refused },
  { name: 'lines: a header folded with a tab', send: get(['X-A: b', '\tc']), expect: refused },
  { name: 'lines: white space before the first header', send: `GET /g HTTP/1.1\r\n ${host}\r\n\r\n`, expect: refused },
  { name: 'lines: NUL in a header value', send: get(['X-A: b\0c']), expect: refused },
  { name: 'lines: NUL in a header name', send: get(['X\0A: b']), expect: refused },
  { name: 'lines: a control character in a header value', send: get(['X-A: b\x01c']), expect: refused },
  { name: 'lines: DEL in a header value', send: get(['X-A: b\x7fc']), expect: refused },
  {
    name: 'lines: bytes above ASCII in a header name',
    send: get(['X-\xe9: b']),
    expect: refused,
  },
  {
    name: 'lines: bytes above ASCII in a header value are Latin-1',
    send: get(['X-A: caf\xe9']),
    expect: passes('GET /g', { headers: { 'x-a': 'caf\u00e9' } }),
  },
  {
    name: 'lines: a head that does not end',
    send: `GET /g HTTP/1.1\r\n${host}\r\n`,
    expect: { answers: [], then: 'open', seen: [] },
  },
  { name: 'request line: two spaces are one', send: request('GET  /g HTTP/1.1'), expect: passes('GET /g') },
  { name: 'request line: a tab for a space', send: request('GET\t/g HTTP/1.1'), expect: refused },
  {
    name: 'request line: a space at the end',
    send: request('GET /g HTTP/1.1 '),
    expect: refused,
    nginx: nginxMends('GET /g'),
  },
  { name: 'request line: a space in the target', send: request('GET /g /h HTTP/1.1'), expect: refused },
  { name: 'request line: nothing before the target', send: request(' /g HTTP/1.1'), expect: refused },
  { name: 'request line: no target', send: request('GET HTTP/1.1'), expect: refused },
  { name: 'version: HTTP/0.9, a line alone', send: 'GET /g\r\n\r\n', expect: refused },
  { name: 'version: HTTP/0.9, named', send: request('GET /g HTTP/0.9'), expect: refused },
  { name: 'version: HTTP/1.2', send: request('GET /g HTTP/1.2'), expect: refused, nginx: nginxMends('GET /g') },
  { name: 'version: HTTP/2.0', send: request('GET /g HTTP/2.0'), expect: refused },
  { name: 'version: HTTP/11.1', send: request('GET /g HTTP/11.1'), expect: refused },
  { name: 'version: in lower case', send: request('GET /g http/1.1'), expect: refused },
  {
    name: 'version: ICE/1.0, which Node takes for HTTP with a method of its own',
    send: request('SOURCE /g ICE/1.0'),
    expect: { answers: [200], then: 'closed', seen: ['SOURCE /g'] },
    nginx: nginxRefuses,
  },
  { name: 'version: the preface of HTTP/2', send: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', expect: refused },
  { name: 'version: a TLS hello', send: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', expect: refused },
  {
    name: 'version: HTTP/1.0 is answered, and its connection ends',
    send: request('GET /g HTTP/1.0'),
    expect: { answers: [200], then: 'closed', seen: ['GET /g'] },
  },
  {
    name: 'version: HTTP/1.0 may ask to keep the connection',
    send: request('GET /g HTTP/1.0', [host, 'Connection: keep-alive']),
    expect: passes('GET /g'),
    gateway: { then: 'closed' },
  },
  { name: 'version: HTTP/1.0 without a Host', send: request('GET /g HTTP/1.0', ['X-A: b']), expect: refused },
  {
    name: 'chunks: in pieces',
    send: chunkedPost('1\r\na\r\n2\r\nbc\r\n0\r\n\r\n'),
    expect: passes('POST /p', { body: 'abc' }),
  },
  {
    name: 'chunks: leading zeros in a size',
    send: chunkedPost('0003\r\nabc\r\n000\r\n\r\n'),
    expect: passes('POST /p', { body: 'abc' }),
  },
  {
    name: 'chunks: an extension is ignored',
    send: chunkedPost('3;a=b\r\nabc\r\n0\r\n\r\n'),
    expect: passes('POST /p', { body: 'abc' }),
  },
  {
    name: 'chunks: a quoted extension is ignored',
    send: chunkedPost('3;a="b;c"\r\nabc\r\n0;last\r\n\r\n'),
    expect: passes('POST /p', { body: 'abc' }),
  },
  chunks('a bare LF in an extension', '3;a\nabc\r\n0\r\n\r\n', nginxMends('POST /p')),
  chunks('a bare LF behind a size', '3\nabc\r\n0\r\n\r\n', nginxMends('POST /p')),
  chunks('a bare CR behind a size', '3\rabc\r\n0\r\n\r\n'),
  chunks('a bare LF behind the data', '3\r\nabc\n0\r\n\r\n', nginxMends('POST /p')),
  chunks('no line end behind the data', '3\r\nabc0\r\n\r\n'),
  chunks('a size below the data', '2\r\nabc\r\n0\r\n\r\n'),
  chunks('a negative size', '-1\r\nabc\r\n0\r\n\r\n'),
  chunks('a plus sign', '+3\r\nabc\r\n0\r\n\r\n'),
  chunks('0x before a size', '0x3\r\nabc\r\n0\r\n\r\n'),
  chunks('a space before a size', ' 3\r\nabc\r\n0\r\n\r\n'),
  chunks('a space behind a size', '3 \r\nabc\r\n0\r\n\r\n', nginxMends('POST /p')),
  chunks('an underscore in a size', '0_3\r\nabc\r\n0\r\n\r\n'),
  chunks('no size', '\r\nabc\r\n0\r\n\r\n'),
  chunks('a size that is no number', 'xyz\r\nabc\r\n0\r\n\r\n'),
  chunks('a size beyond 64 bits', '10000000000000003\r\nabc\r\n0\r\n\r\n'),
  {
    name: 'chunks: a size of all ones: the server waits, as long as the function has',
    send: chunkedPost('ffffffffffffffff\r\nabc\r\n0\r\n\r\n'),
    expect: { answers: [], then: 'open', seen: ['POST /p'] },
    nginx: nginxRefuses,
  },

  {
    name: 'chunks: the last line end is missing: the server waits',
    send: chunkedPost('3\r\nabc\r\n0\r\n'),
    expect: { answers: [], then: 'open', seen: ['POST /p'] },
    nginx: { seen: [] },
  },
  {
    name: 'trailers: dropped',
    send: chunkedPost('3\r\nabc\r\n0\r\n', 'X-Trailer: t\r\n\r\n'),
    expect: passes('POST /p', { body: 'abc', headers: { 'x-trailer': null } }),
  },
  {
    name: 'trailers: never headers, whatever they name',
    send: chunkedPost('3\r\nabc\r\n0\r\n', 'Host: other.localhost\r\nAuthorization: Basic eA==\r\nCookie: a=b\r\n\r\n'),
    expect: passes('POST /p', { body: 'abc', headers: { host: 'one.localhost', authorization: null, cookie: null } }),
  },
  {
    name: 'trailers: a Content-Length is refused',
    send: chunkedPost('3\r\nabc\r\n0\r\n', 'Content-Length: 100\r\n\r\n'),
    ...brokenBody,
    nginx: nginxMends('POST /p'),
  },
  {
    name: 'trailers: bare LF',
    send: chunkedPost('3\r\nabc\r\n0\r\n', 'X-A: b\n\r\n'),
    ...brokenBody,
    nginx: nginxMends('POST /p'),
  },
  {
    name: 'trailers: a space in a name',
    send: chunkedPost('3\r\nabc\r\n0\r\n', 'X A: b\r\n\r\n'),
    ...brokenBody,
    nginx: nginxMends('POST /p'),
  },
];
