import { randomUUID } from 'node:crypto';
import { httpLimits } from '../runtime/contract/limits.ts';

// Safe in a header, a log line and a shell; anything else could forge one of them.
const wellFormed = new RegExp(`^[\\w.-]{1,${httpLimits.requestIdChars}}$`);

/** The client's `x-request-id` when it is well-formed, else a new UUID. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && wellFormed.test(header) ? header : randomUUID();
}
