import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Redaction } from '../../../deploy/redaction/redaction.ts';
import { createRedactor } from '../../../deploy/redaction/redactor.ts';
import { envLimits, logLimits } from '../../../runtime/contract/limits.ts';
import type { LogRecord } from '../../../runtime/contract/log.ts';

const secret = 'p4ss/w+rd "of" the=shop?';
const redact = (text: string, env: Record<string, string> = { TOKEN: secret }): string =>
  createRedactor([env])?.text(text) ?? text;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const base64url = (text: string): string => Buffer.from(text).toString('base64url');

test.each([
  ['as it is', secret],
  ['in JSON', JSON.stringify(secret).slice(1, -1)],
  ['in a URL', encodeURIComponent(secret)],
  ['in a URL with small hex digits', encodeURIComponent(secret).replaceAll(/%../g, (hex) => hex.toLowerCase())],
  ['in a form', new URLSearchParams({ a: secret }).toString().slice(2)],
  ['in base64', base64(secret).replaceAll('=', '')],
  ['in base64url', base64url(secret)],
])('redactor finds a value %s', (_, text) => {
  expect(redact(`token ${text}, that is it`)).toBe('token [redacted TOKEN], that is it');
  expect(redact(text)).toBe('[redacted TOKEN]');
  expect(redact(`${text}${text}`)).toBe('[redacted TOKEN][redacted TOKEN]');
});

test('redactor finds a value at each of the three alignments of base64, with the digits that share bits with it', () => {
  for (const before of ['', 'x', 'xy', 'xyz', 'user:']) {
    for (const after of ['', 'x', 'xy', 'xyz']) {
      for (const encode of [base64, base64url]) {
        const text = redact(`Basic ${encode(before + secret + after)} .`);
        expect(text).toContain('[redacted TOKEN]');
        // What is left decodes to nothing but what stood around the value.
        const [left = '', right = ''] = text.replace('Basic ', '').split('[redacted TOKEN]');
        expect(before.startsWith(Buffer.from(left, 'base64').toString())).toBe(true);
        expect(right.replace(' .', '').replace(/=+$/, '').length).toBeLessThanOrEqual(
          Math.ceil((after.length * 8) / 6),
        );
      }
    }
  }
});

test('redactor lets values alone that are too short to be told from ordinary text', () => {
  const { redactedCharsMin: least } = envLimits;
  expect(createRedactor([{ A: 'a'.repeat(least - 1), B: '', C: `  ${'c'.repeat(least - 1)}\n` }])).toBeNull();
  expect(redact('x abcdef x', { A: 'abcdef' })).toBe('x [redacted A] x');
});

test('redactor finds the lines of a value with several, and the password of a URL', () => {
  const pem = ['-----BEGIN PRIVATE KEY-----', 'MC4CAQAwBQYDK2VwBCIEIHt2', 'short', '-----END PRIVATE KEY-----'].join(
    '\n',
  );
  const env = { KEY: `${pem}\n`, DB: 'mysql://shop:s%40fe-pass@db.example/shop' };
  expect(redact(`{ key: 'MC4CAQAwBQYDK2VwBCIEIHt2\\n' + 'short' }`, env)).toBe(
    `{ key: '[redacted KEY]\\n' + 'short' }`,
  );
  expect(redact(`before ${pem} after`, env)).toBe('before [redacted KEY] after');
  expect(redact('no access with s@fe-pass or s%40fe-pass', env)).toBe('no access with [redacted DB] or [redacted DB]');
});

test('redactor leaves no piece of a value that overlaps with another', () => {
  expect(redact('-abcdefghijkl-', { A: 'abcdefgh', B: 'efghijkl' })).toBe('-[redacted A]-');
  expect(redact('-abcdefghijkl-', { A: 'cdefgh', B: 'abcdefghijkl' })).toBe('-[redacted B]-');
});

test('redactor finds the beginning of a value that a line was cut within', () => {
  const cut = (text: string): string => `${text.slice(0, logLimits.messageBytes)}… (cut: ${text.length} characters)`;
  const filling = (chars: number): string => '.'.repeat(logLimits.messageBytes - chars);
  for (let kept = 3; kept < secret.length; kept += 1) {
    const text = redact(cut(filling(kept) + secret));
    expect(text.slice(-60)).toBe(
      `${'.'.repeat(60)}[redacted TOKEN]… (cut: ${filling(kept).length + secret.length} characters)`.slice(-60),
    );
    expect(text).not.toContain(secret.slice(0, 3));
  }
});

test('redacted text holds no value in any form, and text without values stays as it is', () => {
  const value = fc.string({ unit: 'binary', minLength: envLimits.redactedCharsMin, maxLength: 40 });
  const encodings: ((text: string) => string)[] = [
    (text) => text,
    encodeURIComponent,
    base64,
    base64url,
    (text) => base64(`a${text}`),
    (text) => base64url(`ab${text}c`),
    (text) => JSON.stringify(text).slice(1, -1),
  ];
  const line = fc.array(
    fc.oneof(
      fc.string(),
      fc.nat(3).map((which) => ({ which })),
    ),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 4 }),
      line,
      fc.constantFrom(...encodings),
      (values, parts, encode) => {
        fc.pre(values.every((one) => one.isWellFormed() && one.trim().length >= envLimits.redactedCharsMin));
        const env = Object.fromEntries(values.map((one, index) => [`V${index}`, one]));
        const text = parts
          .map((part) => (typeof part === 'string' ? part : encode(values[part.which % values.length]!)))
          .join(' ');
        const redacted = redact(text, env);
        for (const one of values) {
          // `[redacted V1]` itself may hold a value such as "redact".
          if ('[redacted V0123]'.includes(one.trim())) continue;
          expect(redacted.replaceAll(/\[redacted V\d\]/g, '\0')).not.toContain(one.trim());
          expect(redacted).not.toContain(base64(one.trim()).replaceAll('=', '').slice(0, -1));
        }
        if (parts.every((part) => typeof part === 'string') && !values.some((one) => text.includes(one.trim()))) {
          expect(redacted).toBe(text);
        }
      },
    ),
    { numRuns: 300 },
  );
});

const record: LogRecord = { time: '2026-01-01T00:00:00.000Z', level: 'info', app: 'shop', message: 'nothing' };

test('redaction goes through all of a record that an app may write', () => {
  const redaction = new Redaction();
  redaction.cover('v1', { env: { TOKEN: secret, PIN: '12345678' }, live: null });
  const access = { method: 'GET', path: `/?token=${encodeURIComponent(secret)}`, status: 200, durationMs: 1 };
  const fields = { deep: [{ [secret]: secret }], pin: 12_345_678, other: 7, none: null, yes: true };
  const redacted = redaction.record({
    ...record,
    message: secret,
    stack: `Error: ${secret}\n    at x`,
    fields,
    access,
  });
  expect(redacted).toEqual({
    ...record,
    message: '[redacted TOKEN]',
    stack: 'Error: [redacted TOKEN]\n    at x',
    fields: {
      deep: [{ '[redacted TOKEN]': '[redacted TOKEN]' }],
      pin: '[redacted PIN]',
      other: 7,
      none: null,
      yes: true,
    },
    access: { ...access, path: '/?token=[redacted TOKEN]' },
  });
});

test('redaction covers the newest versions, and the live one however many failed after it', () => {
  const redaction = new Redaction();
  const version = (n: number): string => `value number ${n}.`;
  redaction.cover('v0', { env: { A: version(0) }, live: null });
  for (let n = 1; n <= 10; n += 1) redaction.cover(`v${n}`, { env: { A: version(n) }, live: 'v0' });
  expect(redaction.text(`${version(0)} ${version(10)} ${version(9)}`)).toBe('[redacted A] [redacted A] [redacted A]');
  expect(redaction.text(version(1))).toBe(version(1));
  expect(redaction.record(record)).toEqual(record);
});
