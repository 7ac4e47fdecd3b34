import { get, host, request, type HttpCase, type Outcome } from '../case.ts';

const target = (path: string, how: string) => `/${path}?how=${encodeURIComponent(how)}`;

/** A response that cannot be sent as it is: 502, the reason in the log only, the connection goes on. */
function bad(how: string, path = 'answer'): HttpCase {
  const expect: Outcome = {
    answers: [502],
    then: 'kept',
    seen: [],
    code: 'FN_BAD_RESPONSE',
    headers: { 'x-injected': null },
  };
  return { name: `${path}: ${how}`, send: get([], target(path, how)), expect };
}

/** As `bad`, where the handler itself threw: a Response of the Fetch standard cannot be made so. */
function thrown(how: string): HttpCase {
  const expect: Outcome = {
    answers: [502],
    then: 'kept',
    seen: [],
    code: 'FN_HANDLER_FAILED',
    headers: { 'x-injected': null },
  };
  return { name: `answer: ${how}`, send: get([], target('answer', how)), expect };
}

function sent(how: string, status: number, outcome: Partial<Outcome>, path = 'answer'): HttpCase {
  const expect: Outcome = { answers: [status], then: 'kept', seen: [], ...outcome };
  return { name: `${path}: ${how}`, send: get([], target(path, how)), expect };
}

/** Nobody takes it for whole: 502 where no byte of it has left, else the connection is cut. */
const broken: Outcome = { answers: /^(502)?$/, then: 'any', seen: [], cut: /^(HTTP\/1\.1 200 [^]*\r\n\r\n\d*)?$/ };
const whole = { body: '12345', headers: { 'content-length': '5' } };
const none = { body: '', headers: { 'content-length': null, 'transfer-encoding': null } };

/** What handlers answer that no client may be misled by. */
export const responseCases: readonly HttpCase[] = [
  thrown('crlf in a value'),
  thrown('lf in a value'),
  thrown('nul in a value'),
  bad('control in a value'),
  thrown('beyond latin-1 in a value'),
  thrown('crlf set later'),
  thrown('crlf in a name'),
  thrown('a space in a name'),
  thrown('an empty name'),
  thrown('crlf in the status text'),
  thrown('crlf in a location'),
  thrown('crlf in a cookie'),
  thrown('status 0'),
  thrown('status 99'),
  thrown('status 100'),
  thrown('status 101'),
  thrown('status 600'),
  bad('foreign, status 1000'),
  sent('foreign, status 200.5', 200, { body: 'foreign' }),

  bad('foreign, status NaN'),
  bad('foreign, crlf in a value'),
  bad('foreign, a space in a name'),
  sent('length too short', 200, whole),
  sent('length too long', 200, whole),
  sent('length twice', 200, whole),
  sent('length no number', 200, whole),
  sent('length no number for a stream', 200, { body: '12345' }),
  sent('length twice for a stream', 200, { body: '12345' }),
  {
    name: 'answer: length too short for a stream',
    send: get([], target('answer', 'length too short for a stream')),
    expect: broken,
  },
  {
    name: 'answer: length too long for a stream',
    send: get([], target('answer', 'length too long for a stream')),
    expect: broken,
  },
  sent('chunked by hand', 200, {
    body: '5\r\n12345\r\n0\r\n\r\n',
    headers: { 'transfer-encoding': null, 'content-length': '15' },
  }),
  sent('connection headers', 200, {
    body: '12345',
    headers: { upgrade: null, trailer: null, 'x-request-id': /^(?!mine)/, connection: /^(?!.*x-a)/ },
  }),
  sent('204 with a stream', 204, none),
  sent('204 with a length', 204, none),
  sent('205 with a length', 205, { body: '', headers: { 'content-length': '0' } }),
  sent('304 with a length', 304, { headers: { etag: '"a"' } }),
  sent('a response in the body', 200, { body: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n' }),
  bad('a header of 64 KB'),
  {
    name: 'answer: HEAD gets the head alone',
    head: true,
    send: request(`HEAD ${target('answer', 'length too long')} HTTP/1.1`, [host]),
    expect: { answers: [200], then: 'kept', seen: [], headers: { 'content-length': '5' } },
  },
  {
    name: 'answer: HEAD of a stream gets the head alone',
    head: true,
    send: request(`HEAD ${target('answer', 'length no number for a stream')} HTTP/1.1`, [host]),
    expect: { answers: [200], then: 'kept', seen: [] },
  },
  {
    name: 'answer: HEAD of a failure gets the head alone',
    head: true,
    send: request(`HEAD ${target('answer', 'status 99')} HTTP/1.1`, [host]),
    expect: { answers: [502], then: 'kept', seen: [] },
  },
  bad('crlf in a value', 'result'),
  bad('crlf in a name', 'result'),
  bad('crlf in a cookie', 'result'),
  bad('crlf in a multi-value', 'result'),
  bad('status 100', 'result'),
  bad('status 600', 'result'),
  bad('status in words', 'result'),
  bad('status with crlf', 'result'),
  sent('chunked by hand', 200, { body: '0\r\n\r\n', headers: { 'transfer-encoding': null } }, 'result'),
  sent('length too long', 200, whole, 'result'),
  sent('a body with 204', 204, none, 'result'),
  sent('a body with 304', 304, { body: '' }, 'result'),
];
