/**
 * A Response whose parts stay plain until somebody looks at them. Most responses are
 * made with a string or bytes and a few headers, and go straight to the socket: building
 * undici's Headers, Response and stream for them costs more than the rest of the request.
 * Everything that is not a plain constructor call is left to the native class.
 */

type NativeResponse = globalThis.Response;
type BodyLike = ConstructorParameters<typeof globalThis.Response>[0];
type Init = ConstructorParameters<typeof globalThis.Response>[1];

export const NativeResponse = globalThis.Response;

/** What a response needs on its way to the host when it was never looked at. */
export interface PlainResponse {
  status: number;
  statusText: string;
  /** Lower-case names and values, flat. */
  headers: string[];
  body: string | Uint8Array | null;
}

// RFC 9110: field names are tokens; values have no control characters but HTAB. Latin-1 as fetch has it.
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// eslint-disable-next-line no-control-regex
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;
// eslint-disable-next-line no-control-regex
const reasonPhrase = /^[\t\x20-\x7e\x80-\xff]*$/;
const lowerNames = new Map<string, string>();
const lowerNamesMax = 512;
const nullBodyStatus = new Set([204, 205, 304]);

const kPlain = Symbol('plain');
const kNative = Symbol('native');
const kInit = Symbol('init');

interface Parts {
  [kPlain]: PlainResponse | null;
  [kNative]: NativeResponse | null;
  [kInit]: Init;
}

class FastResponse {
  declare [kPlain]: PlainResponse | null;
  declare [kNative]: NativeResponse | null;

  constructor(body: BodyLike = null, init?: Init) {
    const plain = plainOf(body, init);
    this[kPlain] = plain;
    // Odd input goes to the native class at once, so that its errors come from here.
    this[kNative] = plain === null ? new NativeResponse(body, init) : null;
  }

  static json(data: unknown, init?: Init): NativeResponse {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError('Value is not JSON serializable');
    const response = new FastResponse(text, init) as unknown as NativeResponse & Parts;
    const plain = response[kPlain];
    if (plain === null) return NativeResponse.json(data, init);
    setContentType(plain, init, 'application/json');
    return response;
  }

  static error(): NativeResponse {
    return NativeResponse.error();
  }

  static redirect(url: string | URL, status?: 301 | 302 | 303 | 307 | 308): NativeResponse {
    return NativeResponse.redirect(url, status);
  }

  static [Symbol.hasInstance](this: unknown, value: unknown): boolean {
    if (this !== FastResponse) return Function.prototype[Symbol.hasInstance].call(this, value);
    return value instanceof NativeResponse;
  }
}

/** `new Response(text)` sets text/plain by itself; json() wants its own type instead. */
function setContentType(plain: PlainResponse, init: Init, type: string): void {
  const given = init?.headers;
  for (let i = 0; i < plain.headers.length; i += 2) {
    if (plain.headers[i] !== 'content-type') continue;
    if (given === undefined || !plainHas(given, 'content-type')) plain.headers[i + 1] = type;
    return;
  }
}

function plainHas(headers: NonNullable<NonNullable<Init>['headers']>, name: string): boolean {
  if (headers instanceof Headers) return headers.has(name);
  if (Array.isArray(headers)) return headers.some((pair) => pair[0]?.toLowerCase() === name);
  return Object.keys(headers).some((key) => key.toLowerCase() === name);
}

function plainOf(body: BodyLike, init: Init): PlainResponse | null {
  const bytes = body instanceof Uint8Array || body instanceof ArrayBuffer;
  if (body !== null && body !== undefined && typeof body !== 'string' && !bytes) return null;
  let status = 200;
  let statusText = '';
  const headers: string[] = [];
  if (init !== undefined && init !== null) {
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
  if (typeof body === 'string' && !hasContentType(headers)) headers.push('content-type', 'text/plain;charset=UTF-8');
  return { status, statusText, headers, body: bodyOf(body) };
}

// The Fetch standard reads the bytes at construction: a copy keeps later writes out.
function bodyOf(body: string | Uint8Array | ArrayBuffer | null | undefined): string | Uint8Array | null {
  if (body === null || body === undefined || typeof body === 'string') return body ?? null;
  return body instanceof ArrayBuffer ? new Uint8Array(body.slice(0)) : Uint8Array.from(body);
}

function hasContentType(headers: string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === 'content-type') return true;
  return false;
}

/** Appends the headers in flat form; false when they need the native class (odd values, duplicates to be joined). */
function flattenInto(flat: string[], headers: NonNullable<NonNullable<Init>['headers']>): boolean {
  if (headers instanceof Headers) {
    for (const [name, value] of headers) flat.push(name, value);
    return true;
  }
  if (typeof headers !== 'object' || headers === null || Symbol.iterator in headers) return false;
  for (const key in headers) {
    const value = (headers as Record<string, unknown>)[key];
    if (typeof value !== 'string' || !headerValue.test(value) || value !== value.trim()) return false;
    const name = lowerName(key);
    if (name === null || flat.includes(name)) return false;
    flat.push(name, value);
  }
  return true;
}

function lowerName(key: string): string | null {
  const known = lowerNames.get(key);
  if (known !== undefined) return known;
  if (!headerName.test(key)) return null;
  const lower = key.toLowerCase();
  if (lowerNames.size < lowerNamesMax) lowerNames.set(key, lower);
  return lower;
}

/** The native response behind a fast one, made on first use. */
function nativeOf(response: Parts): NativeResponse {
  if (response[kNative] === null) {
    const plain = response[kPlain]!;
    const pairs: [string, string][] = [];
    for (let i = 0; i < plain.headers.length; i += 2) pairs.push([plain.headers[i]!, plain.headers[i + 1]!]);
    response[kNative] = new NativeResponse(plain.body as BodyLike, {
      status: plain.status,
      statusText: plain.statusText,
      headers: pairs,
    });
    response[kPlain] = null;
  }
  return response[kNative];
}

for (const name of [
  'headers',
  'body',
  'bodyUsed',
  'ok',
  'redirected',
  'status',
  'statusText',
  'type',
  'url',
] as const) {
  const plainValue = plainGetter(name);
  Object.defineProperty(FastResponse.prototype, name, {
    configurable: true,
    enumerable: true,
    get(this: Parts): unknown {
      const plain = this[kPlain];
      return plain !== null && plainValue !== null ? plainValue(plain) : nativeOf(this)[name];
    },
  });
}

for (const name of ['arrayBuffer', 'blob', 'bytes', 'clone', 'formData', 'json', 'text'] as const) {
  Object.defineProperty(FastResponse.prototype, name, {
    configurable: true,
    enumerable: true,
    writable: true,
    value(this: Parts): unknown {
      return nativeOf(this)[name]();
    },
  });
}

function plainGetter(name: string): ((plain: PlainResponse) => unknown) | null {
  if (name === 'status') return (plain) => plain.status;
  if (name === 'ok') return (plain) => plain.status <= 299;
  if (name === 'statusText') return (plain) => plain.statusText;
  return null;
}

Object.setPrototypeOf(FastResponse, NativeResponse);
Object.setPrototypeOf(FastResponse.prototype, NativeResponse.prototype);
Object.defineProperty(FastResponse, 'name', { value: 'Response' });

/** The untouched parts of a response made by the global constructor; null when it must be read as a native one. */
export function plainResponse(response: object): PlainResponse | null {
  return (response as Partial<Parts>)[kPlain] ?? null;
}

/** The native Response behind any response. */
export function nativeResponse(response: object): NativeResponse {
  return kNative in response ? nativeOf(response as Parts) : (response as NativeResponse);
}

/** Replaces the global Response of this thread. */
export function installFastResponse(): void {
  Object.defineProperty(globalThis, 'Response', { configurable: true, writable: true, value: FastResponse });
}
