import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { releaseId } from '../../../deploy/env/release-id.ts';
import { envId, seal, sealedBytes, unseal } from '../../../deploy/env/seal.ts';

const key = randomBytes(32);
const of = { app: 'shop', name: 'TOKEN', key };

test('unseal gives any value back, and only its size is told', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      const sealed = seal(value, of);
      expect(unseal(sealed, of)).toBe(value);
      expect(sealedBytes(sealed)).toBe(Buffer.byteLength(value));
      expect(seal(value, of)).not.toBe(sealed);
    }),
  );
});

test.each([
  ['another app', { ...of, app: 'other' }],
  ['another variable', { ...of, name: 'OTHER' }],
  ['app and variable told apart elsewhere', { ...of, app: 'shopT', name: 'OKEN' }],
  ['another key', { ...of, key: randomBytes(32) }],
])('unseal gives nothing for %s', (_, other) => {
  expect(unseal(seal('a value', of), other)).toBeNull();
});

test('unseal gives nothing when a single bit was changed or bytes are missing', () => {
  const bytes = Buffer.from(seal('a value', of), 'base64');
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(unseal(changed.toString('base64'), of)).toBeNull();
  }
  for (let length = 0; length < bytes.length; length += 1) {
    expect(unseal(bytes.subarray(0, length).toString('base64'), of)).toBeNull();
  }
});

test('envId is the same for the same variables in any order, and depends on app, key, names and values', () => {
  const id = envId({ A: '1', B: '2' }, { app: 'shop', key });
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(envId({ B: '2', A: '1' }, { app: 'shop', key })).toBe(id);
  const others = [
    envId({ A: '1', B: '2' }, { app: 'other', key }),
    envId({ A: '1', B: '2' }, { app: 'shop', key: randomBytes(32) }),
    envId({ A: '1', B: '3' }, { app: 'shop', key }),
    envId({ A: '1","B' }, { app: 'shop', key }),
    envId({ A: '1' }, { app: 'shop', key }),
  ];
  expect(new Set([id, ...others]).size).toBe(6);
});

test('releaseId is that of the build without variables, and of both with them', () => {
  const build = '0123456789abcdef';
  expect(releaseId({ build, env: null })).toBe(build);
  const one = releaseId({ build, env: '1111111111111111' });
  expect(one).toMatch(/^[0-9a-f]{16}$/);
  expect(new Set([build, one, releaseId({ build, env: '2222222222222222' })]).size).toBe(3);
});
