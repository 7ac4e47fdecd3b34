/**
 * A Request that is built when somebody looks deeper than method, URL, headers and a
 * body that is there in full. It passes `instanceof Request`; `new Request(r)` and `fetch(r)` see
 * the native one behind it.
 */
import { FastHeaders } from './headers.ts';
import { native, replaceGlobal } from './native.ts';

type NativeRequest = globalThis.Request;

/** What a request is made of. */
export interface RequestParts {
  method: string;
  url: string;
  /** Name, value, name, value, … as the client sent them. */
  rawHeaders: readonly string[];
  /** All of the body, or a function that opens its stream. */
  body: Uint8Array | (() => ReadableStream<Uint8Array>) | null;
  signal: () => AbortSignal;
}

const kParts = Symbol('parts');
const kNative = Symbol('native');
const kHeaders = Symbol('headers');
const kUrl = Symbol('url');
const kUsed = Symbol('used');

// What the URL standard leaves as it is. Upper-case hosts, default ports, quotes and the like go through it.
const serialised = /^http(?::\/\/[a-z\d._-]+(?!:80\/)|s:\/\/[a-z\d._-]+(?!:443\/))(?::\d+)?\/[\w.~!$&()*+,;=:@%/?-]*$/;
const decoder = new TextDecoder();

class FastRequest {
  declare [kParts]: RequestParts;
  declare [kNative]: NativeRequest | null;
  declare [kHeaders]: FastHeaders | null;
  declare [kUrl]: string | null;
  /** The body was read without the native request. */
  declare [kUsed]: boolean;

  constructor(parts: RequestParts) {
    this[kParts] = parts;
    this[kNative] = null;
    this[kHeaders] = null;
    this[kUrl] = null;
    this[kUsed] = false;
  }

  get method(): string {
    return this[kParts].method;
  }

  get url(): string {
    return (this[kUrl] ??= serialise(this[kParts].url));
  }

  get headers(): FastHeaders {
    return (this[kHeaders] ??= FastHeaders.fromRaw(this[kParts].rawHeaders));
  }

  get signal(): AbortSignal {
    return this[kParts].signal();
  }

  get bodyUsed(): boolean {
    return this[kNative] === null ? this[kUsed] : this[kNative].bodyUsed;
  }

  async text(): Promise<string> {
    const bytes = takeBody(this);
    return bytes === null ? await nativeOf(this).text() : decoder.decode(bytes);
  }

  async json(): Promise<unknown> {
    const bytes = takeBody(this);
    return bytes === null ? await nativeOf(this).json() : (JSON.parse(decoder.decode(bytes)) as unknown);
  }

  async bytes(): Promise<Uint8Array> {
    return takeBody(this) ?? (await nativeOf(this).bytes());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = takeBody(this);
    return bytes === null ? await nativeOf(this).arrayBuffer() : bytes.slice().buffer;
  }

  get [Symbol.toStringTag](): string {
    return 'Request';
  }
}

function serialise(url: string): string {
  return serialised.test(url) ? url : new URL(url).href;
}

/** The bytes of a body that is there in full, once; null when the native request must answer. */
function takeBody(request: FastRequest): Uint8Array | null {
  const { body, method } = request[kParts];
  if (request[kNative] !== null || typeof body === 'function') return null;
  // Fetch has no GET or HEAD request with a body; a client may still send one.
  if (body === null || method === 'GET' || method === 'HEAD') return new Uint8Array(0);
  if (request[kUsed]) throw new TypeError('Body is unusable: Body has already been read');
  request[kUsed] = true;
  return body;
}

function nativeOf(request: FastRequest): NativeRequest {
  if (request[kNative] !== null) return request[kNative];
  const { body, method, signal } = request[kParts];
  const init: Record<string, unknown> = { method, headers: request.headers, signal: signal() };
  if (body !== null && method !== 'GET' && method !== 'HEAD') {
    init['body'] = typeof body === 'function' ? body() : body;
    init['duplex'] = 'half';
  }
  const made = new (native().Request)(request.url, init);
  request[kNative] = made;
  // What was read stays read.
  if (request[kUsed]) void made.arrayBuffer();
  return made;
}

const delegated = [
  'body',
  'cache',
  'credentials',
  'destination',
  'duplex',
  'integrity',
  'keepalive',
  'mode',
  'redirect',
  'referrer',
  'referrerPolicy',
] as const;

for (const name of delegated) {
  Object.defineProperty(FastRequest.prototype, name, {
    configurable: true,
    enumerable: true,
    get(this: FastRequest): unknown {
      return nativeOf(this)[name as keyof NativeRequest];
    },
  });
}

for (const name of ['blob', 'clone', 'formData'] as const) {
  Object.defineProperty(FastRequest.prototype, name, {
    configurable: true,
    enumerable: true,
    writable: true,
    value(this: FastRequest): unknown {
      return (name === 'clone' ? upToDate(this) : nativeOf(this))[name]();
    },
  });
}

/** The native request with the headers as the handler left them. */
function upToDate(request: FastRequest): NativeRequest {
  const made = nativeOf(request);
  if (request[kHeaders] === null) return made;
  for (const name of made.headers.keys().toArray()) made.headers.delete(name);
  for (const [name, value] of request[kHeaders]) made.headers.append(name, value);
  return made;
}

/** The request a handler gets. */
export function createRequest(parts: RequestParts): NativeRequest {
  return new FastRequest(parts) as unknown as NativeRequest;
}

function unwrap(input: unknown): unknown {
  return input instanceof FastRequest ? upToDate(input) : input;
}

/** What stands at `globalThis.Request`: makes native requests, and takes ours as input. */
function Request(this: unknown, input: unknown, init?: unknown): NativeRequest {
  if (new.target === undefined) throw new TypeError("Class constructor Request cannot be invoked without 'new'");
  return Reflect.construct(native().Request, [unwrap(input), unwrap(init)], new.target) as NativeRequest;
}

/** Makes the global Request and fetch of this thread accept the requests made here. */
export function installRequest(): void {
  Object.setPrototypeOf(FastRequest.prototype, Request.prototype as object);
  Object.defineProperty(Request, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      const own: boolean = Function.prototype[Symbol.hasInstance].call(this, value);
      return own || (this === Request && value instanceof native().Request);
    },
  });
  Object.setPrototypeOf(Request, native().Request);
  Object.setPrototypeOf(Request.prototype as object, native().Request.prototype);
  replaceGlobal('Request', Request);
  const nativeFetch = native().fetch;
  const fetch: typeof nativeFetch = (input, init) => nativeFetch(unwrap(input) as NativeRequest, init);
  replaceGlobal('fetch', fetch);
}
