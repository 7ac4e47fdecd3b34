import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parsePublicKey } from '../../../../deploy/keys/public-key.ts';
import { FnrunError } from '../../../../runtime/contract/errors.ts';
import { makeTempDir } from '../../../support/temp-dir.ts';

const field = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const keyOf = (type: string, ...fields: Buffer[]): string =>
  `${type} ${Buffer.concat([field(Buffer.from(type)), ...fields.map(field)]).toString('base64')} someone@somewhere`;
const point = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]);
const rsa = (bits: number): Buffer => Buffer.concat([Buffer.from([0, 0x80]), Buffer.alloc(bits / 8 - 1, 1)]);

function refusal(text: string): FnrunError {
  try {
    parsePublicKey(text);
  } catch (error) {
    if (error instanceof FnrunError && error.code === 'FN_BAD_KEY') return error;
  }
  throw new Error('was not refused with FN_BAD_KEY');
}

async function generate(...type: string[]): Promise<{ publicKey: string; privateKey: string; fingerprint: string }> {
  await using dir = await makeTempDir('fn-');
  const file = join(dir.path, 'key');
  expect(spawnSync('ssh-keygen', ['-q', '-N', '', ...type, '-f', file]).status).toBe(0);
  const { stdout } = spawnSync('ssh-keygen', ['-lf', `${file}.pub`], { encoding: 'utf8' });
  return {
    publicKey: await readFile(`${file}.pub`, 'utf8'),
    privateKey: await readFile(file, 'utf8'),
    fingerprint: stdout.split(' ')[1] ?? '',
  };
}

test.each([
  [['-t', 'ed25519'], 'ssh-ed25519'],
  [['-t', 'ecdsa', '-b', '256'], 'ecdsa-sha2-nistp256'],
  [['-t', 'ecdsa', '-b', '521'], 'ecdsa-sha2-nistp521'],
  [['-t', 'rsa', '-b', '3072'], 'ssh-rsa'],
])('parsePublicKey reads what ssh-keygen %j makes, with its fingerprint', async (args, type) => {
  const { publicKey, fingerprint } = await generate(...args);
  expect(parsePublicKey(publicKey)).toEqual({ type, blob: publicKey.split(' ')[1], fingerprint });
});

test('parsePublicKey takes keys that live in security keys', () => {
  const ssh = Buffer.from('ssh:');
  const ed25519 = keyOf('sk-ssh-ed25519@openssh.com', Buffer.alloc(32), ssh);
  const ecdsa = keyOf('sk-ecdsa-sha2-nistp256@openssh.com', Buffer.from('nistp256'), point, ssh);
  expect([ed25519, ecdsa].map((key) => parsePublicKey(key).type)).toHaveLength(2);
});

test('parsePublicKey refuses a private key without a word of it', async () => {
  const { privateKey } = await generate('-t', 'ed25519');
  const { message, hint } = refusal(privateKey);
  expect(message).toContain('private key');
  const secret = privateKey.split('\n')[1]!;
  expect(`${message}${hint}`).not.toContain(secret.slice(0, 20));
});

test.each([
  ['', 'does not begin with a type'],
  ['hello', 'does not begin with a type'],
  [`command="/bin/sh" ${keyOf('ssh-ed25519', Buffer.alloc(32))}`, 'does not begin with a type'],
  [keyOf('ssh-dss', Buffer.alloc(20)), 'DSA'],
  [keyOf('ssh-ed25519-cert-v01@openssh.com', Buffer.alloc(32)), 'certificate'],
  [keyOf('ssh-ed25519', Buffer.alloc(31)), '32 bytes'],
  [keyOf('ssh-ed25519', Buffer.alloc(32), Buffer.from('more')), 'something follows'],
  [keyOf('ssh-ed25519', Buffer.alloc(32)).replace('ssh-ed25519', 'ssh-rsa'), 'one type and holds another'],
  [keyOf('ecdsa-sha2-nistp256', Buffer.from('nistp384'), point), 'curve'],
  [keyOf('ecdsa-sha2-nistp256', Buffer.from('nistp256'), point.subarray(1)), 'point'],
  [keyOf('ssh-rsa', Buffer.from([1, 0, 1]), rsa(2048)), '2048 bits, at least 3072'],
  ['ssh-ed25519 AAAA!', 'base64'],
  ['ssh-ed25519', 'base64'],
  [`${keyOf('ssh-ed25519', Buffer.alloc(32))}\n${keyOf('ssh-ed25519', Buffer.alloc(32))}`, 'more than one line'],
  [`ssh-ed25519 ${'A'.repeat(9_000)}`, 'too long'],
])('parsePublicKey refuses %j', (text, why) => {
  expect(refusal(text).message).toContain(why);
});

test('parsePublicKey takes an RSA key of 3072 bits and none of 3071', () => {
  const exponent = Buffer.from([1, 0, 1]);
  expect(parsePublicKey(keyOf('ssh-rsa', exponent, rsa(3072))).type).toBe('ssh-rsa');
  const short = Buffer.concat([Buffer.from([0x40]), Buffer.alloc(383, 1)]);
  expect(refusal(keyOf('ssh-rsa', exponent, short)).message).toContain('3071 bits');
});
