/** Responses as plain parts. */
import { FastHeaders, headerValue, lowerName } from './headers.ts';

export type BodyLike = ConstructorParameters<typeof globalThis.Response>[0];
export type Init = ConstructorParameters<typeof globalThis.Response>[1];

/** What a response needs on its way to the host when its body was never looked at. */
export interface PlainResponse {
  status: number;
  statusText: string;
  /** Lower-case names and values, flat. */
  headers: string[];
  body: string | Uint8Array | null;
}

// eslint-disable-next-line no-control-regex
const reasonPhrase = /^[\t\x20-\x7e\x80-\xff]*$/;
export const nullBodyStatus = new Set([204, 205, 304]);

/** The parts of a response made with plain arguments; null: the native class shall judge them. */
export function plainOf(body: BodyLike, init: Init, type = 'text/plain;charset=UTF-8'): PlainResponse | null {
  const bytes = body instanceof Uint8Array || body instanceof ArrayBuffer;
  if (body !== null && body !== undefined && typeof body !== 'string' && !bytes) return null;
  let status = 200;
  let statusText = '';
  const headers: string[] = [];
  if (init !== undefined && init !== null) {
    if (typeof init !== 'object') return null;
    if (init.status !== undefined) {
      if (!Number.isInteger(init.status) || init.status < 200 || init.status > 599) return null;
      status = init.status;
    }
    if (init.statusText !== undefined) {
      if (typeof init.statusText !== 'string' || !reasonPhrase.test(init.statusText)) return null;
      statusText = init.statusText;
    }
    if (init.headers !== undefined && !flattenInto(headers, init.headers)) return null;
  }
  if (nullBodyStatus.has(status) && body !== null && body !== undefined) return null;
  if (typeof body === 'string' && !hasContentType(headers)) headers.push('content-type', type);
  return { status, statusText, headers, body: privateBody(body) };
}

/** The Fetch standard reads the bytes at construction: a copy keeps later writes out. It has its buffer to itself. */
export function privateBody(body: string | Uint8Array | ArrayBuffer | null | undefined): string | Uint8Array | null {
  if (body === null || body === undefined || typeof body === 'string') return body ?? null;
  return body instanceof ArrayBuffer ? new Uint8Array(body.slice(0)) : new Uint8Array(body);
}

function hasContentType(headers: string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === 'content-type') return true;
  return false;
}

/** Appends the headers in flat form; false when the native class shall judge them. */
function flattenInto(flat: string[], headers: NonNullable<NonNullable<Init>['headers']>): boolean {
  if (typeof headers !== 'object' || headers === null) return false;
  if (Symbol.iterator in headers) {
    const known = FastHeaders.owns(headers) ? headers : new FastHeaders(headers);
    known.flattenInto(flat);
    return true;
  }
  for (const key in headers) {
    if (!Object.hasOwn(headers, key)) continue;
    const given = (headers as Record<string, unknown>)[key];
    const name = lowerName(key);
    const value = typeof given === 'string' ? headerValue(given) : null;
    if (name === null || value === null || flat.includes(name)) return false;
    flat.push(name, value);
  }
  return true;
}
