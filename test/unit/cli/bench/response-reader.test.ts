import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ResponseReader, type Reading } from '../../../../cli/bench/load/response-reader.ts';

const cases: Record<string, { text: string; method?: string; reading: Reading }> = {
  'a length': { text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', reading: { status: 200, reusable: true } },
  'an empty body': {
    text: 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n',
    reading: { status: 404, reusable: true },
  },
  'no reason phrase': { text: 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n', reading: { status: 200, reusable: true } },
  'no content': { text: 'HTTP/1.1 204 No Content\r\n\r\n', reading: { status: 204, reusable: true } },
  'the answer to HEAD': {
    text: 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n',
    method: 'HEAD',
    reading: { status: 200, reusable: true },
  },
  chunks: {
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=1\r\n0123\r\n6789\r\n0\r\nx-sum: 1\r\n\r\n',
    reading: { status: 200, reusable: true },
  },
  'a connection that closes': {
    text: 'HTTP/1.1 503 Busy\r\nConnection: close\r\ncontent-length: 2\r\n\r\nno',
    reading: { status: 503, reusable: false },
  },
  'early hints': {
    text: 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    reading: { status: 200, reusable: true },
  },
  'more than announced': { text: 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nok', reading: 'malformed' },
  'no HTTP': { text: 'SSH-2.0-OpenSSH_9.2\r\n\r\n', reading: 'malformed' },
  'a chunk without a size': {
    text: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello\r\n',
    reading: 'malformed',
  },
  'half a body': { text: 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel', reading: 'more' },
  'no length': { text: 'HTTP/1.1 200 OK\r\n\r\nuntil the end', reading: 'more' },
};

test.each(Object.entries(cases))('%s is read the same, however it is cut', (_, { text, method = 'GET', reading }) => {
  const bytes = Buffer.from(text, 'latin1');
  fc.assert(
    fc.property(fc.array(fc.nat({ max: bytes.length })), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const reader = new ResponseReader({ method });
      let last: Reading = 'more';
      for (let i = 1; i < at.length && last === 'more'; i++) last = reader.read(bytes.subarray(at[i - 1], at[i]));
      // What is more than announced may come when the response has been taken for whole.
      if (reading === 'malformed' && last !== 'malformed') expect(last).toEqual({ status: 200, reusable: true });
      else expect(last).toEqual(reading);
    }),
    { numRuns: 60 },
  );
});

test('a body without a length is whole when the connection ends, and no other is', () => {
  const reader = new ResponseReader({ method: 'GET' });
  reader.read(Buffer.from('HTTP/1.1 200 OK\r\n\r\nsome'));
  expect(reader.end()).toBe(200);
  const half = new ResponseReader({ method: 'GET' });
  half.read(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nsome'));
  expect(half.end()).toBeNull();
});

test('several responses of one connection are read one after the other', () => {
  const reader = new ResponseReader({ method: 'GET' });
  const response = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
  for (let i = 0; i < 3; i++) expect(reader.read(response)).toEqual({ status: 200, reusable: true });
});
