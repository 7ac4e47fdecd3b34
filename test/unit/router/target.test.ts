import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { originForm, readHost, readRequestHead, readTarget, segmentsOf } from '../../../router/target.ts';

/** The decoded segments of a target, or null when it is refused. */
function segments(rawTarget: string): readonly string[] | null {
  const read = readTarget(rawTarget);
  return read.ok ? segmentsOf(read.target) : null;
}

describe('readTarget', () => {
  test.each<[string, string[] | null]>([
    ['/', []],
    ['/a', ['a']],
    ['/a/', ['a']],
    ['/a/b?x=/../c', ['a', 'b']],
    ['/?', []],
    ['//', ['']],
    ['///', ['', '']],
    ['/a//', ['a', '']],
    ['/a//b', ['a', '', 'b']],
    ['//host/x', ['', 'host', 'x']],
    ['/a%2Fb', ['a/b']],
    ['/a%2fb', ['a/b']],
    ['/a%5Cb', ['a\\b']],
    ['/%25', ['%']],
    ['/%252e%252e', ['%2e%2e']],
    ['/caf%C3%A9', ['café']],
    ['/a/..;/b', ['a', '..;', 'b']],
    ['/...', ['...']],
    ['/.well-known/x', ['.well-known', 'x']],
    ['/a|b"<>^`{}', ['a|b"<>^`{}']],
    ['/a:b@c;d=e,f', ['a:b@c;d=e,f']],
    ['/..', null],
    ['/.', null],
    ['/a/../b', null],
    ['/a/./b', null],
    ['/a/..', null],
    ['/a/../', null],
    ['/%2e', null],
    ['/%2E%2e', null],
    ['/.%2e/b', null],
    ['/a%00', null],
    ['/%ff', null],
    ['/%C3', null],
    ['/%C0%AE', null],
    ['/%ED%A0%80', null],
    ['/%', null],
    ['/%4', null],
    ['/%zz', null],
    ['/a\\b', null],
    ['/a\\..\\b', null],
    ['/a b', null],
    ['/a\tb', null],
    ['/caf\u00e9', null],
    ['/a?q=\u00e9', null],
    ['/a#b', null],
    ['/a?b#c', null],
    ['', null],
    ['a', null],
    ['?a', null],
    ['ftp://a/b', null],
    ['a.localhost:80', null],
  ])('reads %j as %j', (rawTarget, expected) => {
    expect(segments(rawTarget)).toEqual(expected);
  });

  test.each([
    ['http://a.test', '/', 'a.test'],
    ['http://a.test?x', '/?x', 'a.test'],
    ['HTTPS://A.test:8080/x/?y=//', '/x/?y=//', 'A.test:8080'],
    ['http://user@a.test/x', '/x', 'user@a.test'],
    ['http:///x', '/x', ''],
  ])('reads the absolute form %s', (rawTarget, origin, authority) => {
    const read = readTarget(rawTarget);
    expect(read.ok && [read.target.form, originForm(read.target), read.target.authority]).toEqual([
      'absolute',
      origin,
      authority,
    ]);
  });

  test('refuses a target that is longer than the limit', () => {
    expect(readTarget(`/${'a'.repeat(8_191)}`).ok).toBe(true);
    expect(readTarget(`/${'a'.repeat(8_192)}`).ok).toBe(false);
  });

  test('says in one sentence why it refuses', () => {
    for (const rawTarget of ['/a#b', '/%ff', '/..', '/\\', 'x']) {
      const read = readTarget(rawTarget);
      expect(!read.ok && read.reason).toMatch(/^(The|Percent)[^.]*./);
    }
  });

  test('gives back every list of segments that was encoded', () => {
    const segment = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .filter((text) => text !== '.' && text !== '..' && !text.includes('\0') && text.isWellFormed());
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 5 }), fc.boolean(), (list, slash) => {
        const rawTarget = `/${list.map(encodeURIComponent).join('/')}${slash && list.length > 0 ? '/' : ''}`;
        expect(segments(rawTarget)).toEqual(list);
      }),
    );
  });

  test('never reads a path other than the handler, which sees it through URL', () => {
    const piece = fc.constantFrom(
      'a',
      'b.c',
      '.',
      '..',
      '%2e',
      '%2E.',
      '%2f',
      '%5c',
      '\\',
      '/',
      '//',
      ';',
      '?',
      '#',
      '%',
      '%00',
      '%c3%a9',
      '@',
      ':',
      ' ',
      '"',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const rawTarget = `/${pieces.join('')}`;
        const read = readTarget(rawTarget);
        if (!read.ok) return;
        const url = new URL(`http://a.test${originForm(read.target)}`);
        const seen = url.pathname.split('/').slice(1).map(decodeURIComponent);
        if (seen.at(-1) === '') seen.pop();
        expect(segmentsOf(read.target)).toEqual(seen);
        expect([url.host, url.hash, url.search]).toEqual(['a.test', '', read.target.search === '?' ? '' : url.search]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('readHost', () => {
  test.each([
    ['a.test', 'a.test', null],
    ['A.Test:8080', 'a.test', 8080],
    ['a.test.', 'a.test', null],
    ['under_score.test', 'under_score.test', null],
    ['127.0.0.1:80', '127.0.0.1', 80],
    ['[::1]:3000', '[::1]', 3000],
  ])('reads %s', (value, hostname, port) => {
    const read = readHost(['Accept', '*/*', 'HOST', value]);
    expect(read.ok && read.host).toEqual({ host: value, hostname, port });
  });

  test.each([
    'a/b@c',
    'user@a',
    'a b',
    'a:',
    'a:x',
    'a:99999',
    ':80',
    'a,b',
    'a#b',
    'a?b',
    'caf\u00e9',
    '[::1',
    '::1',
    '.',
    'a%41',
    '',
  ])('refuses %j', (value) => {
    expect(readHost(['Host', value]).ok).toBe(false);
  });

  test('refuses a request with two Hosts, equal or not, or with none', () => {
    expect(readHost(['Host', 'a', 'host', 'b']).ok).toBe(false);
    expect(readHost(['Host', 'a', 'Host', 'a']).ok).toBe(false);
    expect(readHost(['Accept', '*/*']).ok).toBe(false);
  });
});

describe('readRequestHead', () => {
  const head = (method: string, url: string, host = 'a.test') =>
    readRequestHead({ method, url, httpVersion: '1.1', rawHeaders: ['Host', host] }).ok;

  test('takes an absolute target only when it names the Host', () => {
    expect(head('GET', 'http://A.test/x')).toBe(true);
    expect(head('GET', 'http://a.test:80/x')).toBe(true);
    expect(head('GET', 'http://a.test/x', 'a.test:80')).toBe(true);
    expect(head('GET', 'http://b.test/x')).toBe(false);
    expect(head('GET', 'http://a.test:81/x')).toBe(false);
    expect(head('GET', 'http://user@a.test/x')).toBe(false);
    expect(head('GET', 'http:///x')).toBe(false);
  });

  test('takes the target * for OPTIONS only', () => {
    expect(head('OPTIONS', '*')).toBe(true);
    expect(head('GET', '*')).toBe(false);
  });
});
