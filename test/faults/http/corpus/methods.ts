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

const notAllowed: Outcome = { answers: [405], then: 'closed', seen: [], code: 'FN_METHOD_NOT_ALLOWED' };

/** A request with a method that nobody may take for another. */
function method(name: string, expect: Outcome = refused): HttpCase {
  return { name: `method: ${JSON.stringify(name)}`, send: request(`${name} /m HTTP/1.1`), expect };
}

/** Methods, upgrades, Expect and pipelining. */
export const methodCases: readonly HttpCase[] = [
  method('PUT', passes('PUT /m')),
  method('PATCH', passes('PATCH /m')),
  method('DELETE', passes('DELETE /m')),
  method('PROPFIND', passes('PROPFIND /m')),
  method('TRACE', { ...notAllowed, then: 'any' }),
  method('get'),
  method('Get'),
  method('GETT'),
  method('FOO'),
  method('G\0T'),
  method('GET,POST'),
  {
    name: 'method: CONNECT, in authority form',
    send: request('CONNECT one.localhost:443 HTTP/1.1'),
    expect: notAllowed,
    nginx: nginxRefuses,
  },
  { name: 'method: CONNECT, with a path', send: request('CONNECT /c HTTP/1.1'), expect: notAllowed },
  {
    name: 'method: CONNECT, with a request behind it',
    send: request('CONNECT one.localhost:443 HTTP/1.1') + get([], '/behind'),
    expect: notAllowed,
    nginx: nginxRefuses,
  },
  {
    name: 'upgrade: h2c is ignored',
    send: get(['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA']),
    expect: { ...passes('GET /g', { headers: { 'http2-settings': null } }), then: 'closed' },
    nginx: { then: 'kept' },
  },
  {
    name: 'upgrade: h2c with a body is ignored, the body is one',
    send: post(['Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 3'], 'abc'),
    expect: { ...passes('POST /p', { body: 'abc' }), then: 'closed' },
    nginx: { then: 'kept' },
  },
  {
    name: 'upgrade: an unknown protocol is ignored, what follows is not read',
    send: get(['Connection: Upgrade', 'Upgrade: foo/1']) + get([], '/second'),
    expect: { answers: [200], then: 'closed', seen: ['GET /g'] },
    nginx: { answers: [200, 200], then: 'kept', seen: ['GET /g', 'GET /second'] },
  },
  {
    name: 'upgrade: TLS is ignored',
    send: request('OPTIONS /o HTTP/1.1', [host, 'Connection: Upgrade', 'Upgrade: TLS/1.0']),
    expect: { ...passes('OPTIONS /o'), then: 'closed' },
    nginx: { then: 'kept' },
  },
  {
    name: 'upgrade: a WebSocket by POST is none',
    send: post(['Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 3'], 'abc'),
    expect: { ...passes('POST /p', { body: 'abc' }), then: 'closed' },
    nginx: { then: 'kept' },
  },
  {
    name: 'expect: 100-continue gets 100, and the body follows',
    send: [post(['Expect: 100-continue', 'Content-Length: 3'], ''), 'abc'],
    expect: { answers: [100, 200], then: 'kept', seen: ['POST /p'], saw: { body: 'abc' } },
  },
  {
    name: 'expect: 100-continue in odd case',
    send: [post(['EXPECT: 100-Continue', 'Content-Length: 3'], ''), 'abc'],
    expect: { answers: [100, 200], then: 'kept', seen: ['POST /p'], saw: { body: 'abc' } },
  },
  {
    name: 'expect: 100-continue on a refused body gets 413 and no 100',
    send: request('POST /limited HTTP/1.1', [host, 'Expect: 100-continue', 'Content-Length: 1001']),
    expect: { answers: [413], then: 'closed', seen: [], code: 'FN_BODY_TOO_LARGE' },
    // Whether the body is wanted only the app knows, and it hears of the request with the first bytes of that; nginx reads all of it.
    gateway: { answers: [100], then: 'open' },
    nginx: { answers: [100], then: 'open' },
  },
  {
    name: 'expect: 100-continue on a refused target gets 400 and no 100',
    send: request('POST /a/../b HTTP/1.1', [host, 'Expect: 100-continue', 'Content-Length: 3']),
    expect: refused,
    nginx: { answers: [100], then: 'open', code: undefined },
  },
  {
    name: 'expect: 100-continue twice',
    send: [post(['Expect: 100-continue', 'Expect: 100-continue', 'Content-Length: 3'], ''), 'abc'],
    expect: { answers: [100, 200], then: 'kept', seen: ['POST /p'], saw: { body: 'abc' } },
    nginx: { ...nginxRefuses, saw: undefined },
  },
  {
    name: 'expect: anything else gets 417',
    send: post(['Expect: foo', 'Content-Length: 3'], 'abc'),
    expect: { answers: [417], then: 'closed', seen: [], code: 'FN_BAD_REQUEST' },
    nginx: nginxMends('POST /p'),
  },
  {
    name: 'expect: 100-continue with more gets 417',
    send: post(['Expect: 100-continuebar', 'Content-Length: 3'], 'abc'),
    expect: { answers: [417], then: 'closed', seen: [], code: 'FN_BAD_REQUEST' },
    nginx: nginxMends('POST /p'),
  },
  {
    name: 'pipelining: five requests, answered in order',
    send: [1, 2, 3, 4, 5].map((n) => get([`X-Request-Id: p${n}`], `/p${n}`)).join(''),
    expect: {
      answers: [200, 200, 200, 200, 200],
      then: 'kept',
      seen: ['GET /p1', 'GET /p2', 'GET /p3', 'GET /p4', 'GET /p5'],
      headers: { 'x-request-id': 'p5' },
    },
  },
  {
    name: 'pipelining: a body between two requests',
    send: get() + post(['Content-Length: 3'], 'abc') + get([], '/third'),
    expect: { answers: [200, 200, 200], then: 'kept', seen: ['GET /g', 'POST /p', 'GET /third'] },
  },
  {
    name: 'pipelining: nothing is answered behind Connection: close',
    send: get(['Connection: close']) + get([], '/second'),
    expect: { answers: [200], then: 'closed', seen: ['GET /g'] },
  },
  {
    name: 'pipelining: garbage behind a request leaves that one its answer',
    send: `${get()}garbage\r\n\r\n`,
    expect: { answers: [200, 400], then: 'closed', seen: ['GET /g'] },
  },
  {
    name: 'pipelining: a refused request behind a good one leaves that one its answer',
    send: get() + get([], '/a/../b') + get([], '/third'),
    expect: { answers: [200, 400], then: 'closed', seen: ['GET /g'], code: 'FN_BAD_REQUEST' },
    // nginx has told the requests apart by itself; the app gets each on its own.
    nginx: { answers: [200, 400, 200], then: 'kept', seen: ['GET /g', 'GET /third'] },
  },
  {
    name: 'pipelining: a request that can be read in two ways ends the connection for the others',
    send: get([], '/a#b') + get([], '/second'),
    expect: refused,
    nginx: { answers: [400, 200], then: 'kept', seen: ['GET /second'] },
  },
];
