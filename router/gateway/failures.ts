import { maxHeaderSize } from 'node:http';
import type { ErrorCode } from '../../runtime/contract/errors.ts';

const ended = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);
const timeouts = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ERR_UPSTREAM_UPGRADE_TIMEOUT']);
// Of undici, and of node:http, over which upgrades go.
const headOverflows = new Set(['UND_ERR_HEADERS_OVERFLOW', 'HPE_HEADER_OVERFLOW']);
const notAccepted = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'EAGAIN',
  'EACCES',
  'EMFILE',
  'ENFILE',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Whether the connection ended before its time. */
export function isEnded({ code = '' }: NodeJS.ErrnoException): boolean {
  return ended.has(code);
}

/** Whether a response was longer or shorter than it said. */
export function isMismatch({ code }: NodeJS.ErrnoException): boolean {
  return code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
}

/** What a client is told when its request did not get through to the app, or the response not back. */
export function codeOf({ code = '' }: NodeJS.ErrnoException): ErrorCode {
  if (timeouts.has(code)) return 'FN_TIMEOUT';
  if (headOverflows.has(code)) return 'FN_BAD_RESPONSE';
  return notAccepted.has(code) ? 'FN_APP_UNAVAILABLE' : 'FN_APP_UNREACHABLE';
}

/** One sentence more, where the code alone does not say enough. */
export function detailOf({ code = '' }: NodeJS.ErrnoException): string | undefined {
  return headOverflows.has(code) ? `The head of the app's response has more than ${maxHeaderSize} bytes` : undefined;
}
