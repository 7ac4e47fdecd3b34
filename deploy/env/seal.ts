import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { Env } from '../../runtime/contract/env.ts';

// NIST SP 800-38D: 96 random bits, and the whole tag.
const nonceBytes = 12;
const tagBytes = 16;

/** Which variable of which app a value is of: a ciphertext is of no use anywhere else. */
export interface SealedFor {
  app: string;
  name: string;
}

/** Encrypts a value with AES-256-GCM; base64 of nonce, ciphertext and tag. */
export function seal(value: string, { key, ...of }: SealedFor & { key: Buffer }): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', derive(key, 'values'), nonce).setAAD(additionalData(of));
  const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64');
}

/** The value in `sealed`; null when it was not made with this key for this variable, or not left as it was. */
export function unseal(sealed: string, { key, ...of }: SealedFor & { key: Buffer }): string | null {
  const bytes = Buffer.from(sealed, 'base64');
  if (bytes.length < nonceBytes + tagBytes) return null;
  const nonce = bytes.subarray(0, nonceBytes);
  const options = { authTagLength: tagBytes };
  const decipher = createDecipheriv('aes-256-gcm', derive(key, 'values'), nonce, options)
    .setAAD(additionalData(of))
    .setAuthTag(bytes.subarray(-tagBytes));
  try {
    const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}

/** Bytes of the value in `sealed`: GCM adds none. */
export function sealedBytes(sealed: string): number {
  return Math.max(0, Buffer.byteLength(sealed, 'base64') - nonceBytes - tagBytes);
}

/**
 * The id of an app's environment: the same for the same names and values. Keyed, because a plain hash would let
 * whoever reads the database try out guesses of a short value.
 */
export function envId(env: Env, { app, key }: { app: string; key: Buffer }): string {
  const entries = Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const hmac = createHmac('sha256', derive(key, 'ids')).update(JSON.stringify([app, entries]));
  return hmac.digest('hex').slice(0, 16);
}

function derive(key: Buffer, purpose: 'values' | 'ids'): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `fnrun env ${purpose}`, 32));
}

function additionalData({ app, name }: SealedFor): Buffer {
  return Buffer.from(JSON.stringify([app, name]));
}
