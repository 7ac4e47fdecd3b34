import { adoptResponse } from './fetch/foreign.ts';
import { BadResponseError } from './reply.ts';

/** What the module's `upgrade` makes of a request. */
export type UpgradeAnswer =
  | { kind: 'accepted'; headers: string[]; protocol: string }
  | { kind: 'refused'; response: unknown };

// These are the handshake's own, or belong to the connection; the request id is the platform's.
const handshakeHeaders =
  /^(?:connection|upgrade|keep-alive|te|trailer|transfer-encoding|content-length|x-request-id|sec-websocket-.*)$/;
// The head goes out as UTF-8, and a client would read anything beyond ASCII as Latin-1.
const ascii = /^[\t\x20-\x7e]*$/;

/**
 * Reads what `upgrade` returned (or threw): a Response refuses with it; Headers, or an object with `headers` and
 * `protocol`, accept with these; nothing accepts. Throws BadResponseError for anything else.
 */
export function readUpgrade(returned: unknown, offered: readonly string[]): UpgradeAnswer {
  if (returned === undefined || returned === null || returned === true) return accepted(new Headers(), offered);
  if (typeof returned !== 'object') {
    throw new BadResponseError(
      `upgrade returned a value of type ${typeof returned} where a Response, headers or nothing is due`,
    );
  }
  if (isResponse(returned)) return { kind: 'refused', response: returned };
  if (returned instanceof Headers) return accepted(returned, offered);
  const { headers, protocol } = returned as { headers?: ConstructorParameters<typeof Headers>[0]; protocol?: unknown };
  if (protocol !== undefined && typeof protocol !== 'string') {
    throw new BadResponseError(`upgrade returned a protocol of type ${typeof protocol} where a string is due`);
  }
  return accepted(new Headers(headers), offered, protocol);
}

/** Whether a value is a response of this thread or of a library's own fetch. */
export function isResponse(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof Response || adoptResponse(value) !== null;
}

/** Browsers refuse a handshake that names none of the protocols they offered: the first one, unless told otherwise. */
function accepted(headers: Headers, offered: readonly string[], named?: string): UpgradeAnswer {
  const chosen = named ?? headers.get('sec-websocket-protocol');
  if (chosen !== null && !offered.includes(chosen)) {
    throw new BadResponseError(`upgrade chose the protocol "${chosen}", which the client did not offer`);
  }
  const flat: string[] = [];
  for (const [name, value] of headers) {
    if (handshakeHeaders.test(name)) continue;
    if (!ascii.test(value)) throw new BadResponseError(`upgrade returned a header ${name} that is not plain ASCII`);
    flat.push(name, value);
  }
  return { kind: 'accepted', headers: flat, protocol: chosen ?? offered[0] ?? '' };
}
