import { createHash } from 'node:crypto';

/** SHA-256 of a text or of bytes, in hex. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** SHA-256 over a JSON value; the order of its keys counts, so give them in a fixed one. */
export function hashOf(value: unknown): string {
  return sha256(JSON.stringify(value));
}
