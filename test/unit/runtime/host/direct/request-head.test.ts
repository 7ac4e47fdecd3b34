import { expect, test } from 'vitest';
import { flatOf } from '../../../../../runtime/channel/header-lines.ts';
import { readDirectHead } from '../../../../../runtime/host/direct/request-head.ts';

const get = (lines: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${lines}`;

test('readDirectHead reads what decides about a request, in any case of letters', () => {
  const head = readDirectHead(
    'POST /a?b HTTP/1.1\r\nhOST:\t a.example:8080 \r\nX-Request-Id: 1\r\ncontent-LENGTH: 12\r\nConnection: Close\r\n' +
      'x-forwarded-for: 10.0.0.1, 10.0.0.2\r\nX-Forwarded-Proto: https\r\nX-Empty:\r\nTE: trailers\r\n',
  );
  expect(head).toMatchObject({
    method: 'POST',
    target: '/a?b',
    host: 'a.example:8080',
    contentLength: 12,
    keepAlive: false,
    requestId: '1',
    forwardedFor: '10.0.0.1, 10.0.0.2',
    forwardedProto: 'https',
  });
  expect(flatOf(head!.headerLines).slice(-2)).toEqual(['X-Empty', '']);
  expect(flatOf(head!.allHeaderLines).slice(-2)).toEqual(['TE', 'trailers']);
});

test('readDirectHead takes away what is about the connection, and says when more is to go', () => {
  const lines = 'Host: a\r\nConnection: keep-alive\r\nAccept: b\r\nKeep-Alive: 5\r\nX-C: d\r\n';
  const head = readDirectHead(`GET / HTTP/1.1\r\n${lines}`);
  expect(head).toMatchObject({
    headerLines: 'Host: a\r\nAccept: b\r\nX-C: d\r\n',
    allHeaderLines: lines,
    special: false,
  });
  expect(readDirectHead(get('X-Fnrun-Anything: 1\r\n'))).toMatchObject({ special: true });
});

test.each([
  ['no CRLF', 'GET / HTTP/1.1\nHost: a\n'],
  ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\n'],
  ['HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n'],
  ['a lower-case method', 'get / HTTP/1.1\r\nHost: a\r\n'],
  ['an unknown method', 'BREW / HTTP/1.1\r\nHost: a\r\n'],
  ['CONNECT', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n'],
  ['two spaces', 'GET  / HTTP/1.1\r\nHost: a\r\n'],
  ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n'],
  ['an empty line first', '\r\nGET / HTTP/1.1\r\nHost: a\r\n'],
  ['no header', 'GET / HTTP/1.1\r\n'],
  ['a space before the colon', get('X : 1\r\n')],
  ['a folded line', get('X: 1\r\n 2\r\n')],
  ['a bare LF in a value', get('X: 1\n2\r\n')],
  ['a bare CR in a value', get('X: 1\r2\r\n')],
  ['NUL in a value', get('X: \0\r\n')],
  ['DEL in a value', get('X: \x7f\r\n')],
  ['an empty name', get(': 1\r\n')],
  ['a line without colon', get('X\r\n')],
  ['Transfer-Encoding', get('Transfer-Encoding: chunked\r\n')],
  ['two lengths', get('Content-Length: 1\r\nContent-Length: 1\r\n')],
  ['a list of lengths', get('Content-Length: 1, 1\r\n')],
  ['a signed length', get('Content-Length: +1\r\n')],
  ['a hexadecimal length', get('Content-Length: 0x1\r\n')],
  ['an empty length', get('Content-Length:\r\n')],
  ['a huge length', get('Content-Length: 99999999999999999999\r\n')],
  ['two Hosts', get('Host: b\r\n')],
  ['Expect', get('Expect: 100-continue\r\n')],
  ['Upgrade', get('Upgrade: websocket\r\n')],
  ['other connection options', get('Connection: keep-alive, x-a\r\n')],
  ['two content types', get('Content-Type: a/b\r\ncontent-type: a/b\r\n')],
  ['two request ids', get('X-Request-Id: 1\r\nX-Request-Id: 2\r\n')],
])('readDirectHead leaves %s to node:http', (_what, text) => {
  expect(readDirectHead(text)).toBeNull();
});
