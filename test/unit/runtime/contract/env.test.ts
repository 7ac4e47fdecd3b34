import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkEnv, checkEnvName } from '../../../../runtime/contract/env.ts';
import { envLimits, hostLimits } from '../../../../runtime/contract/limits.ts';

test.each(['A', '_', 'DATABASE_URL', 'lower_case', 'A1', 'PATH', 'NODE_ENV', 'TZ', 'FNRUN', 'constructor', 'toString'])(
  '%s can be the name of a variable',
  (name) => {
    expect(checkEnvName(name)).toBe(name);
  },
);

test.each(['', '1A', 'A-B', 'A B', 'A.B', 'Ä', 'A\n', 'A=B', 'A\0', 'A'.repeat(envLimits.nameChars + 1)])(
  '%j cannot be the name of a variable',
  (name) => {
    expect(() => checkEnvName(name)).toThrow(expect.objectContaining({ code: 'FN_BAD_ENV' }));
  },
);

test.each([
  'FNRUN_',
  'FNRUN_HOME',
  'NODE_OPTIONS',
  'NODE_CHANNEL_FD',
  'NODE_UNIQUE_ID',
  'LD_PRELOAD',
  'DYLD_X',
  '__proto__',
])('%s is reserved, and the reason is told', (name) => {
  expect(() => checkEnvName(name)).toThrow(/cannot be set for an app: \w/);
});

test('an environment is refused beyond each of its limits and taken at them', () => {
  const many = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`V${n}`, 'x']));
  const large = (bytes: number): Record<string, string> => {
    const count = Math.ceil(bytes / envLimits.valueBytes);
    return Object.fromEntries(
      Array.from({ length: count }, (_, n) => [`V${n}`, 'x'.repeat(Math.floor(bytes / count) - 2)]),
    );
  };
  for (const env of [
    {},
    many(envLimits.variables),
    { A: 'x'.repeat(envLimits.valueBytes) },
    large(envLimits.totalBytes),
  ]) {
    expect(() => checkEnv(env)).not.toThrow();
  }
  for (const env of [
    many(envLimits.variables + 1),
    { A: 'ä'.repeat(envLimits.valueBytes / 2 + 1) },
    large(envLimits.totalBytes + 64),
    { A: 'a\0b' },
    { A: '\ud800' },
  ]) {
    expect(() => checkEnv(env)).toThrow(expect.objectContaining({ code: 'FN_BAD_ENV' }));
  }
});

test('no refusal tells a value', () => {
  const value = fc.string({ unit: fc.constantFrom('s', '3', 'c', 'r', '\0', '\ud800'), minLength: 8 });
  fc.assert(
    fc.property(fc.string(), value, (name, secret) => {
      fc.pre(!name.includes(secret));
      try {
        checkEnv({ [name]: secret });
      } catch (error) {
        expect(String(error)).not.toContain(secret);
      }
    }),
  );
});

test('the largest environment fits into a body of the control API, as JSON may write it', () => {
  expect(envLimits.totalBytes * 6 + envLimits.variables * 8).toBeLessThan(hostLimits.controlBodyBytes);
});
