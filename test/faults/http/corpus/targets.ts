import { get, host, nginxMends, nginxRefuses, passes, refused, request, type HttpCase, type Outcome } from '../case.ts';

/** A GET of `target`, read as these decoded segments. */
function path(target: string, segments: readonly string[] | null, seen = target): HttpCase {
  return {
    name: `path: ${JSON.stringify(target.slice(0, 60))}${target.length > 60 ? `, ${target.length} bytes` : ''}`,
    send: get([], target),
    expect: segments === null ? refused : passes(`GET ${seen}`, { segments }),
  };
}

/** A request with these lines for a Host. */
function hosts(name: string, ...lines: string[]): HttpCase {
  return { name: `host: ${name}`, send: request('GET /g HTTP/1.1', lines), expect: refused };
}

/** One request line and the Host of app `one`. */
function line(name: string, text: string, expect: Outcome = refused, nginx?: Partial<Outcome>): HttpCase {
  return { name: `target: ${name}`, send: request(text), expect, ...(nginx !== undefined && { nginx }) };
}

/** Every way to write a path, and the one reading of it. */
export const pathCases: readonly HttpCase[] = [
  path('/a/..;/b', ['a', '..;', 'b']),
  path('/a;x=1/b;y', ['a;x=1', 'b;y']),
  path('/;/..;x', [';', '..;x']),
  path('/a%2Fb', ['a/b']),
  path('/a%2fb', ['a/b']),
  path('/%2F', ['/']),
  path('/a%5Cb', ['a\\b']),
  path('/%252e%252e/x', ['%2e%2e', 'x']),
  path('/a%252fb', ['a%2fb']),
  path('/%25', ['%']),
  path('/caf%C3%A9', ['caf\u00e9']),
  path('/a//b', ['a', '', 'b']),
  path('//a', ['', 'a']),
  path('//', ['']),
  path('/a/', ['a']),
  path('/...', ['...']),
  path('/.hidden', ['.hidden']),
  path('/A/b', ['A', 'b']),
  path('/a?x=/../b', ['a']),
  path('/a??x', ['a']),
  path('/a?', ['a'], '/a'),
  path('/a?b=%00%ff', ['a']),
  path('/a%3Fb%23c', ['a?b#c']),
  path('/a:b@c;d=e,f', ['a:b@c;d=e,f']),
  path('/|"<>^`{}', ['|"<>^`{}'], '/|%22%3C%3E%5E%60%7B%7D'),
  path('/a%0D%0AX-Injected:%20y', ['a\r\nX-Injected: y']),
  path(`/${'a'.repeat(2_000)}`, ['a'.repeat(2_000)]),
  path('/a/../b', null),
  path('/a/./b', null),
  path('/..', null),
  path('/.', null),
  path('/%2e%2e/x', null),
  path('/%2E./x', null),
  path('/.%2e', null),
  path('/a/%2e', null),
  path('/../../etc/passwd', null),
  path('/a\\..\\b', null),
  path('/a\\b', null),
  path('/a%00', null),
  path('/a\0b', null),
  path('/%ff', null),
  path('/%C3', null),
  path('/%C0%AE%C0%AE/x', null),
  path('/%C0%AF', null),
  path('/%E0%80%AF', null),
  path('/%ED%A0%80', null),
  path('/%F4%90%80%80', null),
  path('/%', null),
  path('/%4', null),
  path('/%zz', null),
  path('/%u002e%u002e', null),
  path('/caf\xc3\xa9', null),
  path('/a?q=\xe9', null),
  path('/a\tb', null),
  path('/a\x7fb', null),
  path('/a#b', null),
  path('/a?b#c', null),
  path('#', null),
  path(`/${'a'.repeat(8_192)}`, null),
];

/** Which app a request is for: one Host, and a target that does not contradict it. */
export const hostCases: readonly HttpCase[] = [
  hosts('none', 'X-A: b'),
  hosts('empty', 'Host: '),
  hosts('two different ones', host, 'Host: other.localhost'),
  hosts('two different ones, the other way round', 'Host: other.localhost', host),
  hosts('two equal ones', host, host),
  hosts('two in one line', 'Host: one.localhost, other.localhost'),
  hosts('a path and a user: a/b@c', 'Host: other.localhost/b@one.localhost'),
  hosts('a user', 'Host: user@one.localhost'),
  hosts('a user and a password', 'Host: other.localhost:80@one.localhost'),
  hosts('a scheme', 'Host: http://one.localhost'),
  hosts('a port that is no number', 'Host: one.localhost:x'),
  hosts('a port above 65535', 'Host: one.localhost:65536'),
  hosts('an empty port', 'Host: one.localhost:'),
  hosts('two ports', 'Host: one.localhost:80:81'),
  hosts('a percent sign', 'Host: one%2Elocalhost'),
  hosts('a space', 'Host: one.localhost other.localhost'),
  hosts('a question mark', 'Host: one.localhost?x'),
  hosts('a fragment', 'Host: one.localhost#x'),
  hosts('a backslash', 'Host: one.localhost\\x'),
  hosts('bytes of UTF-8', 'Host: caf\xc3\xa9.localhost'),
  hosts('a NUL', 'Host: one.localhost\0'),
  hosts('IPv6 without brackets', 'Host: ::1'),
  hosts('a bracket alone', 'Host: [::1'),
  hosts('a comma', 'Host: one.localhost,'),
  hosts('dots alone', 'Host: ..'),
  hosts('an empty label', 'Host: one..localhost'),
  hosts('numbers that are no address', 'Host: 1.2.3.4.5'),
  hosts('an address that URL reads as another', 'Host: 0x7f.1'),
  hosts('an address of three parts', 'Host: 127.0.1'),

  hosts('folded', 'Host:\r\n one.localhost'),
  {
    name: 'host: upper case, a final dot and a port name the same app',
    send: request('GET /g HTTP/1.1', ['Host: ONE.localhost.:8080']),
    expect: passes('GET /g', { app: 'one' }),
  },
  {
    name: 'host: any name in front of the rest names the app',
    send: request('GET /g HTTP/1.1', ['hOST:one.localhost']),
    expect: passes('GET /g', { app: 'one', url: 'http://one.localhost/g' }),
  },
  line('absolute, of the same host', 'GET http://one.localhost/abs?x HTTP/1.1', passes('GET /abs?x', { app: 'one' })),
  line('absolute, in upper case', 'GET HTTP://ONE.LOCALHOST:80/abs HTTP/1.1', passes('GET /abs', { app: 'one' })),
  line('absolute, without a path', 'GET http://one.localhost HTTP/1.1', passes('GET /', { app: 'one' })),
  line('absolute, of another host', 'GET http://other.localhost/abs HTTP/1.1'),
  line('absolute, of another port', 'GET http://one.localhost:81/abs HTTP/1.1', refused, nginxMends('GET /abs')),
  line('absolute, with a user', 'GET http://one.localhost@other.localhost/abs HTTP/1.1'),
  line('absolute, without a host', 'GET http:///abs HTTP/1.1'),
  line('absolute, of another scheme', 'GET ftp://one.localhost/abs HTTP/1.1', refused, nginxMends('GET /abs')),
  line('absolute, of a file', 'GET file:///etc/passwd HTTP/1.1'),
  line('absolute, with a backslash', 'GET http:\\\\one.localhost\\abs HTTP/1.1'),
  line('an authority', 'GET one.localhost:80 HTTP/1.1'),
  line('a relative path', 'GET g HTTP/1.1'),
  line('a query alone', 'GET ?g HTTP/1.1'),
  line('an asterisk on GET', 'GET * HTTP/1.1'),
  line('an asterisk and more', 'OPTIONS *x HTTP/1.1'),
  {
    name: 'target: an asterisk on OPTIONS is about the server',
    send: request('OPTIONS * HTTP/1.1'),
    expect: { answers: [204], then: 'kept', seen: [] },
    nginx: nginxRefuses,
  },
];
