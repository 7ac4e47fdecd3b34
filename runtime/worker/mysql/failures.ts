import type { ErrorCode } from '../../contract/errors.ts';
import type { DatabaseFailure } from '../database-failure.ts';
import { failureOf } from '../database-failure.ts';

/** Errors of the network and of mysql2 after which the connection is of no use. */
const lostCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'PROTOCOL_CONNECTION_LOST',
  'HANDSHAKE_NO_SSL_SUPPORT',
]);

/**
 * The server's numbers for: too many connections (in all, of the user), shutting down, the connection was killed,
 * read-only (three ways), disk full (three ways), out of memory.
 */
const serverNumbers = new Set([1040, 1203, 1226, 1053, 1927, 1290, 1792, 1836, 1021, 1114, 3, 1026, 1037, 1041]);

/** Too many connections, or too many that wait at the server's unix socket: worth another try after a moment. */
export function isCrowded(error: unknown): boolean {
  const { errno, code } = error as { errno?: number; code?: string };
  return errno === 1040 || errno === 1203 || errno === 1226 || code === 'EAGAIN';
}

/** A deadlock, or a lock that others kept for too long: what was rolled back may be tried again. */
export function isRetryable(error: unknown): boolean {
  const { errno } = error as { errno?: number };
  return errno === 1213 || errno === 1205;
}

/** Marks errors that say that the database cannot serve now: uncaught, they are a 503. */
export function marked<T>(error: T): T {
  if (typeof error !== 'object' || error === null || failureOf in error) return error;
  const { code, errno } = error as { code?: string; errno?: number };
  const lost = (code !== undefined && lostCodes.has(code)) || (error as { fatal?: boolean }).fatal === true;
  if (lost || (errno !== undefined && serverNumbers.has(errno))) mark(error, 'FN_DB_UNAVAILABLE');
  return error;
}

/** An error of ours, with its code. */
export function databaseError(code: Extract<ErrorCode, `FN_DB_${string}`>, message: string, cause?: unknown): Error {
  const error = Object.assign(new Error(message, cause === undefined ? {} : { cause }), { code });
  mark(error, code);
  return error;
}

function mark(error: object, code: ErrorCode): void {
  Object.defineProperty(error, failureOf, {
    value: code satisfies DatabaseFailure[typeof failureOf],
    configurable: true,
  });
}
