import { get, host, nginxRefuses, passes, post, refused, request, type HttpCase } from '../case.ts';

/** What an attacker would hide in a body. */
const hidden = request('GET /hidden HTTP/1.1');
const hex = (text: string) => text.length.toString(16);
/** `text` as a chunked body. */
const chunked = (text: string) => `${hex(text)}\r\n${text}\r\n0\r\n\r\n`;

/** Two lengths for one body: Content-Length and Transfer-Encoding, in every spelling. */
function both(name: string, encoding: string): HttpCase {
  const body = `0\r\n\r\n${hidden}`;
  return { name: `CL+TE: ${name}`, send: post([`Content-Length: ${body.length}`, encoding], body), expect: refused };
}

/** A chunked body under a Transfer-Encoding that is none; whoever ignored it would find the body to be requests. */
function coding(name: string, ...lines: string[]): HttpCase {
  return { name: `TE: ${name}`, send: post(lines, chunked(hidden)), expect: refused };
}

function length(name: string, value: string): HttpCase {
  return { name: `CL: ${name}`, send: post([`Content-Length: ${value}`], hidden), expect: refused };
}

/** Which bytes are whose: everything that made one request into two somewhere. */
export const smugglingCases: readonly HttpCase[] = [
  both('chunked', 'Transfer-Encoding: chunked'),
  both('chunked, in odd case', 'tRaNsFeR-eNcOdInG: cHuNkEd'),
  both('identity', 'Transfer-Encoding: identity'),
  both('xchunked', 'Transfer-Encoding: xchunked'),
  both('a space before the colon', 'Transfer-Encoding : chunked'),
  both('a tab for the space', 'Transfer-Encoding:\tchunked'),
  both('an empty value', 'Transfer-Encoding: '),
  both('a leading space', ' Transfer-Encoding: chunked'),
  both('folded', 'Transfer-Encoding:\r\n chunked'),
  both('twice', 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked'),
  both('hidden behind a bare CR', 'X-A: b\rTransfer-Encoding: chunked'),
  both('hidden behind a bare LF', 'X-A: b\nTransfer-Encoding: chunked'),
  {
    name: 'CL+TE: the encoding first',
    send: post(['Transfer-Encoding: chunked', 'Content-Length: 5'], `0\r\n\r\n${hidden}`),
    expect: refused,
  },
  {
    name: 'CL+TE: a length of zero',
    send: post(['Content-Length: 0', 'Transfer-Encoding: chunked'], chunked(hidden)),
    expect: refused,
  },
  coding('identity', 'Transfer-Encoding: identity'),
  coding('xchunked', 'Transfer-Encoding: xchunked'),
  coding('chunkedx', 'Transfer-Encoding: chunkedx'),
  coding('in quotes', 'Transfer-Encoding: "chunked"'),
  coding('an empty value', 'Transfer-Encoding:'),
  coding('a comma alone', 'Transfer-Encoding: ,'),
  coding('chunked, then identity', 'Transfer-Encoding: chunked, identity'),
  coding('chunked, then identity, in two lines', 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity'),
  coding('chunked twice in a list', 'Transfer-Encoding: chunked, chunked'),
  coding('chunked in two lines', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
  coding('gzip, then chunked: a coding that nobody here undoes', 'Transfer-Encoding: gzip, chunked'),
  coding('with a parameter', 'Transfer-Encoding: chunked;q=1'),
  coding('a space before the colon', 'Transfer-Encoding : chunked'),
  coding('folded', 'Transfer-Encoding:\r\n chunked'),
  coding('behind NUL', 'Transfer-Encoding: \0chunked'),
  coding('behind a vertical tab', 'Transfer-Encoding: \x0bchunked'),

  {
    name: 'TE: in odd case, with white space around, is chunked',
    send: post(['TRANSFER-encoding: \t Chunked'], chunked('abc')),
    expect: passes('POST /p', { body: 'abc' }),
    nginx: { ...nginxRefuses, saw: undefined },
  },
  {
    name: 'TE: an underscore in the name is another header: the body is no request',
    send: post(['Transfer_Encoding: chunked'], chunked(hidden)),
    expect: { answers: [200, 400], then: 'closed', seen: ['POST /p'] },
  },
  {
    name: 'TE: HTTP/1.0 knows no chunked bodies',
    send: request('POST /p HTTP/1.0', [host, 'Connection: keep-alive', 'Transfer-Encoding: chunked'], chunked(hidden)),
    expect: refused,
  },
  {
    name: 'TE.0: a GET has a body too',
    send: request('GET /g HTTP/1.1', [host, 'Transfer-Encoding: chunked'], chunked(hidden)),
    expect: passes('GET /g'),
  },
  {
    name: 'TE.0: an OPTIONS has a body too',
    send: request('OPTIONS /o HTTP/1.1', [host, 'Transfer-Encoding: chunked'], chunked(hidden)),
    expect: passes('OPTIONS /o', { bytes: hidden.length }),
  },
  {
    name: 'CL.0: a GET has a body too',
    send: request('GET /g HTTP/1.1', [host, `Content-Length: ${hidden.length}`], hidden),
    expect: passes('GET /g'),
  },
  {
    name: 'CL.0: a HEAD has a body too',
    head: true,
    send: request('HEAD /h HTTP/1.1', [host, `Content-Length: ${hidden.length}`], hidden),
    expect: passes('HEAD /h'),
  },
  {
    name: 'CL.0: a request that nobody answers has a body too',
    send: request('TRACE /t HTTP/1.1', [host, `Content-Length: ${hidden.length}`], hidden),
    expect: { answers: [405], then: 'any', seen: [], code: 'FN_METHOD_NOT_ALLOWED' },
  },
  {
    name: 'CL.0: a refused path has a body too',
    send: request('POST /a/../b HTTP/1.1', [host, `Content-Length: ${hidden.length}`], hidden),
    expect: refused,
  },
  {
    name: 'CL: two equal ones',
    send: post(['Content-Length: 3', 'Content-Length: 3'], 'abc'),
    expect: refused,
  },
  {
    name: 'CL: two different ones',
    send: post([`Content-Length: ${hidden.length}`, 'Content-Length: 0'], hidden),
    expect: refused,
  },
  length('a list', '0, 0'),
  length('a plus sign', '+0'),
  length('a minus sign', '-1'),
  length('hexadecimal', '0x0'),
  length('with an exponent', '1e1'),
  length('a fraction', '0.0'),
  length('empty', ''),
  length('a word', 'zero'),
  length('a space in it', '0 0'),
  length('beyond 64 bits', '18446744073709551616'),
  length('a NUL behind it', '0\0'),
  {
    name: 'CL: a space before the colon',
    send: post([`Content-Length : ${hidden.length}`], hidden),
    expect: refused,
  },
  {
    name: 'CL: an underscore in the name is another header, and the body is the next request',
    send: request('GET /g HTTP/1.1', [host, `Content_Length: ${hidden.length}`], hidden),
    expect: { answers: [200, 200], then: 'kept', seen: ['GET /g', 'GET /hidden'] },
  },
  {
    name: 'CL: leading zeros are decimal',
    send: post(['Content-Length: 010'], '0123456789'),
    expect: passes('POST /p', { bytes: 10, body: '0123456789' }),
  },
  {
    name: 'CL: shorter than what comes: the rest is the next request, or none',
    send: post(['Content-Length: 3'], 'abcdef'),
    expect: { answers: [200, 400], then: 'closed', seen: ['POST /p'] },
  },
  {
    name: 'CL: longer than what comes: the server waits',
    send: post(['Content-Length: 10'], 'abc'),
    expect: { answers: [], then: 'open', seen: [] },
  },
  {
    name: 'CL: none on a POST is an empty body',
    send: post([], ''),
    expect: passes('POST /p', { bytes: 0 }),
  },
  {
    name: 'two requests in one packet are two requests',
    send: get() + get([], '/second'),
    expect: { answers: [200, 200], then: 'kept', seen: ['GET /g', 'GET /second'] },
  },
];
