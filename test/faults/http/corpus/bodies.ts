import { gzipSync } from 'node:zlib';
import { get, host, passes, post, request, type HttpCase, type Outcome } from '../case.ts';

const limited = (headers: readonly string[], body: string) =>
  request('POST /limited HTTP/1.1', [host, ...headers], body);
const tooLarge: Outcome = { answers: [413], then: 'any', seen: [], code: 'FN_BODY_TOO_LARGE' };
/** 10 MB of zeros in 10 KB. */
const bomb = gzipSync(Buffer.alloc(10_000_000)).toString('latin1');

/** Request bodies: limits, what is declared against what comes, compression. */
export const bodyCases: readonly HttpCase[] = [
  {
    name: 'body: at the limit',
    send: limited(['Content-Length: 1000'], 'x'.repeat(1_000)),
    expect: { answers: [200], then: 'kept', seen: [], body: '1000 bytes' },
  },
  {
    name: 'body: one byte over the limit, declared and sent',
    send: limited(['Content-Length: 1001'], 'x'.repeat(1_001)),
    expect: tooLarge,
  },
  {
    name: 'body: far over the limit, declared only',
    send: limited(['Content-Length: 999999999999'], 'x'),
    expect: tooLarge,
    // It reads on for a while, for nobody.
    nginx: { then: 'open' },
  },
  {
    name: 'body: over the limit in chunks',
    send: limited(['Transfer-Encoding: chunked'], `3e9\r\n${'x'.repeat(1_001)}\r\n0\r\n\r\n`),
    expect: tooLarge,
  },
  {
    name: 'body: over the limit in chunks that do not end',
    send: limited(['Transfer-Encoding: chunked'], `3e8\r\n${'x'.repeat(1_000)}\r\n1\r\nx\r\n`),
    expect: tooLarge,
    nginx: { answers: [], then: 'open', code: undefined },
  },
  {
    name: 'body: at the limit in chunks',
    send: limited(['Transfer-Encoding: chunked'], `3e8\r\n${'x'.repeat(1_000)}\r\n0\r\n\r\n`),
    expect: { answers: [200], then: 'kept', seen: [], body: '1000 bytes' },
  },
  {
    name: 'body: compressed, passed on as it is',
    send: post(['Content-Encoding: gzip', `Content-Length: ${bomb.length}`], bomb),
    expect: passes('POST /p', { bytes: Buffer.from(bomb, 'latin1').toString('utf8').length }),
  },
  {
    name: 'body: the limit is about the bytes that come, not what they unpack to',
    send: limited(['Content-Encoding: gzip', 'Content-Length: 1001'], bomb.slice(0, 1_001)),
    expect: tooLarge,
  },
  {
    name: 'body: of a GET, then another request',
    send: request('GET /g HTTP/1.1', [host, 'Content-Length: 3'], 'abc') + get([], '/second'),
    expect: { answers: [200, 200], then: 'kept', seen: ['GET /g', 'GET /second'] },
  },
];
