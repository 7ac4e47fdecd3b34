import { randomFillSync } from 'node:crypto';
import { httpLimits } from '../runtime/contract/limits.ts';

// Safe in a header, a log line and a shell; anything else could forge one of them.
const wellFormed = new RegExp(`^[\\w.-]{1,${httpLimits.requestIdChars}}$`);

const idChars = 32;
/** Random bits are fetched for this many ids at once: for one alone it would take longer than the rest. */
const pooledIds = 256;
const bytes = Buffer.alloc((idChars / 2) * pooledIds);
let pool = '';
let used = 0;

/** A new id: 128 random bits in hexadecimal, as nginx makes its own. */
export function newRequestId(): string {
  if (used === pool.length) {
    pool = randomFillSync(bytes).toString('hex');
    used = 0;
  }
  const at = used;
  used += idChars;
  return pool.slice(at, used);
}

/** The client's `x-request-id` when it is well-formed, else a new one. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && wellFormed.test(header) ? header : newRequestId();
}
