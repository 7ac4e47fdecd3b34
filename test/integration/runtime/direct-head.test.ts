import { createServer } from 'node:http';
import { duplexPair } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDirectHead } from '../../../runtime/host/direct/request-head.ts';
import { within } from '../../support/deadline.ts';

/** A request as one of the two parsers read it. */
interface Reading {
  method: string;
  target: string;
  headers: [name: string, value: string][];
  contentLength: number;
  keepAlive: boolean;
}

/** What node:http reads in `head`; null when it refuses it, or waits for more. */
async function readByNode(head: string): Promise<Reading | null> {
  const server = createServer({ requireHostHeader: false });
  const [client, connection] = duplexPair();
  const reading = new Promise<Reading | null>((resolve) => {
    server.on('request', (req, res) => {
      const { method = '', url = '', rawHeaders, headers } = req;
      const pairs = rawHeaders.flatMap((name, i) =>
        i % 2 === 0 ? [[name, rawHeaders[i + 1]] as [string, string]] : [],
      );
      const contentLength = Number(headers['content-length'] ?? 0);
      resolve({ method, target: url, headers: pairs, contentLength, keepAlive: res.shouldKeepAlive });
    });
    server.on('clientError', () => resolve(null));
    server.on('connect', () => resolve(null));
    client.on('end', () => resolve(null));
    server.emit('connection', connection);
    // What is not refused and not complete at its end gets an error of its own.
    client.end(Buffer.from(head, 'latin1'));
    client.resume();
  });
  try {
    return await within(15_000, `node:http reading ${JSON.stringify(head)}`, reading);
  } finally {
    client.destroy();
    connection.destroy();
  }
}

function readDirectly(head: string): Reading | null {
  const read = readDirectHead(head.slice(0, -2));
  if (read === null) return null;
  const { method, target, contentLength, keepAlive, allHeaderLines } = read;
  const headers = allHeaderLines
    .split('\r\n')
    .filter(Boolean)
    .map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')];
    });
  return { method, target, headers, contentLength, keepAlive };
}

const often = <T>(usual: T, ...others: T[]) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(usual) },
    ...others.map((other) => ({ weight: 1, arbitrary: fc.constant(other) })),
  );

const name = fc.oneof(
  fc.constantFrom('Content-Length', 'Transfer-Encoding', 'Connection', 'Host', 'Expect', 'Upgrade', 'TE', 'Trailer'),
  fc.constantFrom(
    'X-A',
    'Accept',
    'Cookie',
    'content-type',
    'Authorization',
    'X-Fnrun-A',
    'X-Request-Id',
    'Keep-Alive',
  ),
  fc.constantFrom(
    '',
    'X A',
    ' X-A',
    'X-A ',
    'X\tA',
    'X\0',
    'Content_Length',
    'content-LENGTH',
    "!#$%&'*+.^`|~",
    '\xe9',
  ),
);
const value = fc.oneof(
  fc.constantFrom(
    'a',
    '',
    ' ',
    'a b',
    '\tb\t',
    '0',
    '3',
    '+3',
    '-1',
    '0x3',
    '3, 3',
    '003',
    '3 ',
    '1e1',
    '99999999999999999999',
  ),
  fc.constantFrom(
    'chunked',
    'Chunked',
    'identity',
    'gzip, chunked',
    'close',
    'keep-alive',
    'Close',
    'upgrade',
    'x-a, close',
    'close, x',
  ),
  fc.constantFrom(
    '100-continue',
    'websocket',
    'h2c',
    'a\rb',
    'a\nb',
    'a\0b',
    'a\x01',
    'a\x7f',
    '\xe9',
    ':',
    'a:b',
    '"',
    '\x0b',
  ),
);
const lineEnd = often('\r\n', '\n', '\r', '\r\r\n', '\r\n ', '\r\n\t');
const line = fc.tuple(name, often(':', ': ', ' :', ''), value, lineEnd).map((parts) => parts.join(''));
const requestLine = fc
  .tuple(
    often('GET', 'POST', 'HEAD', 'OPTIONS', 'CONNECT', 'SOURCE', 'get', 'G', ''),
    often(' ', '  ', '\t', ''),
    often('/a?b', '/', '*', 'http://a/', '/a b', '/\xe9', '/#', '/a\tb', '', 'a:80', '/\0'),
    often(' ', '  ', '\t', ''),
    often('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.2', 'http/1.1', 'HTTP/0.9', ''),
    lineEnd,
  )
  .map((parts) => parts.join(''));
const head = fc
  .tuple(often('', '\r\n', ' '), requestLine, fc.array(line, { maxLength: 4 }))
  .map(([before, first, lines]) => `${before}${first}Host: a.test\r\n${lines.join('')}\r\n`)
  // The direct way is given what comes before the first empty line.
  .map((text) => text.slice(0, text.indexOf('\r\n\r\n', 2) + 4));

test('what the direct way reads, node:http reads in the same way', async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(head, async (text) => {
      const direct = readDirectly(text);
      if (direct === null) return;
      read++;
      expect(await readByNode(text)).toEqual(direct);
    }),
    { numRuns: 40_000 },
  );
  // Or the property would hold for want of cases.
  expect(read).toBeGreaterThan(500);
});
