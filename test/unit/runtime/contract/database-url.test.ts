import { expect, test } from 'vitest';
import { parseDatabaseUrl } from '../../../../runtime/contract/database-url.ts';

const parse = (text: string, ca?: string) => parseDatabaseUrl(text, { name: 'DATABASE_URL', ca });

test('a URL names user, password, host, port and database', () => {
  expect(parse('mysql://us%40er:p%3Aw@127.0.0.1:3307/shop')).toEqual({
    user: 'us@er',
    password: 'p:w',
    database: 'shop',
    host: '127.0.0.1',
    port: 3307,
  });
});

test('a URL with a socketPath is reached by the unix socket', () => {
  expect(parse('mysql://u:p@localhost/db?socketPath=/path/s.sock')).toEqual({
    user: 'u',
    password: 'p',
    database: 'db',
    socketPath: '/path/s.sock',
  });
});

test('a remote host is reached by TLS with a verified certificate, unless the URL says otherwise', () => {
  const verified = { rejectUnauthorized: true, verifyIdentity: true };
  expect(parse('mysql://u@db.example.org/x').ssl).toEqual(verified);
  expect(parse('mysql://u@db.example.org/x', 'PEM').ssl).toEqual({ ...verified, ca: 'PEM' });
  expect(parse('mysql://u@127.0.0.1:3306/x', 'PEM').ssl).toEqual({ ...verified, ca: 'PEM' });
  expect(parse('mysql://u@127.0.0.1:3306/x').ssl).toBeUndefined();
  expect(parse('mysql://u@db.example.org/x?tls=off').ssl).toBeUndefined();
});

test.each([
  ['nonsense', 'is no URL'],
  ['postgres://u:geheim@h/d', 'begins with "postgres:"'],
  ['mysql://u:geheim%@h/d', 'holds a % that begins no escape'],
  ['mysql://u:geheim@h/d/e', 'more than one segment'],
])('%s is refused without being shown', (text, why) => {
  expect(() => parse(text)).toThrow(`DATABASE_URL `);
  expect(() => parse(text)).toThrow(why);
  expect(() => parse(text)).not.toThrow('geheim');
});
