import type { IncomingHttpHeaders } from 'node:http';
import type { ErrorCode } from '../../contract/errors.ts';

/** A WebSocket handshake, read: the protocols it offers, or why it is refused. */
export type Handshake =
  | { ok: true; protocols: string[] }
  | { ok: false; code: ErrorCode; detail: string; headers: Record<string, string> };

// RFC 6455, section 4.1: 16 bytes in base64.
const keyPattern = /^[+/0-9A-Za-z]{22}==$/;
// RFC 9110, section 5.6.2.
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Headers of every 426 (RFC 9110, section 15.5.22). */
export const upgradeHeaders = { upgrade: 'websocket', 'sec-websocket-version': '13' } as const;

/** Reads the headers that RFC 6455, section 4.2.1, asks a client for. Pure. */
export function readHandshake(headers: IncomingHttpHeaders): Handshake {
  const version = headers['sec-websocket-version'];
  if (version !== '13') {
    const detail = `Version ${version ?? '(none)'} of WebSocket is not spoken here; version 13 is`;
    return { ok: false, code: 'FN_UPGRADE_REQUIRED', detail, headers: upgradeHeaders };
  }
  if (!keyPattern.test(headers['sec-websocket-key'] ?? ''))
    return bad('The Sec-WebSocket-Key is no 16 bytes in base64');
  const offered = headers['sec-websocket-protocol'];
  if (offered === undefined) return { ok: true, protocols: [] };
  const protocols = offered.split(',').map((name) => name.trim());
  if (protocols.some((name) => !token.test(name))) return bad('Sec-WebSocket-Protocol is no list of tokens');
  if (new Set(protocols).size < protocols.length) return bad('Sec-WebSocket-Protocol names a protocol twice');
  return { ok: true, protocols };
}

/**
 * Whether a page of `origin` may open a WebSocket at `host`: pages of the same host may, those of the `allowed` origins,
 * and clients that are no browsers and send no origin. The scheme is not compared: TLS may end in front of us. Pure.
 */
export function originAllowed(
  origin: string | undefined,
  { host, allowed }: { host: string; allowed: readonly string[] | null },
): boolean {
  if (origin === undefined) return true;
  if (allowed !== null && (allowed.includes('*') || allowed.includes(origin))) return true;
  if (!URL.canParse(origin)) return false;
  const page = new URL(origin);
  const here = `${page.protocol}//${host}`;
  return page.host !== '' && URL.canParse(here) && new URL(here).host === page.host;
}

function bad(detail: string): Handshake {
  return { ok: false, code: 'FN_BAD_REQUEST', detail, headers: {} };
}
