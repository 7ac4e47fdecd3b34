/**
 * A Request that is built when somebody looks deeper than method and URL. It passes
 * `instanceof Request`; `new Request(r)` and `fetch(r)` see the native one behind it.
 */

type NativeRequest = globalThis.Request;

const NativeRequest = globalThis.Request;
const nativeFetch = globalThis.fetch;

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

// What the URL standard leaves as it is. Upper-case hosts, default ports, quotes and the like go through it.
const serialised = /^http(?::\/\/[a-z\d._-]+(?!:80\/)|s:\/\/[a-z\d._-]+(?!:443\/))(?::\d+)?\/[\w.~!$&()*+,;=:@%/?-]*$/;

interface Fast {
  [kParts]: RequestParts;
  [kNative]: NativeRequest | null;
  [kHeaders]: Headers | null;
  [kUrl]: string | null;
}

class FastRequest {
  declare [kParts]: RequestParts;
  declare [kNative]: NativeRequest | null;
  declare [kHeaders]: Headers | null;
  declare [kUrl]: string | null;

  constructor(parts: RequestParts) {
    this[kParts] = parts;
    this[kNative] = null;
    this[kHeaders] = null;
    this[kUrl] = null;
  }

  get method(): string {
    return (this as Fast)[kParts].method;
  }

  get url(): string {
    return (this[kUrl] ??= serialise((this as Fast)[kParts].url));
  }

  get headers(): Headers {
    return (this[kHeaders] ??= this[kNative]?.headers ?? headersOf(this[kParts].rawHeaders));
  }

  get signal(): AbortSignal {
    return this[kParts].signal();
  }
}

function serialise(url: string): string {
  return serialised.test(url) ? url : new URL(url).href;
}

function headersOf(raw: readonly string[]): Headers {
  const headers = new Headers();
  for (let i = 0; i < raw.length; i += 2) headers.append(raw[i]!, raw[i + 1]!);
  return headers;
}

function nativeOf(request: Fast): NativeRequest {
  if (request[kNative] === null) {
    const parts = request[kParts];
    const init: Record<string, unknown> = {
      method: parts.method,
      headers: request[kHeaders] ?? headersOf(parts.rawHeaders),
      signal: parts.signal(),
    };
    // Fetch has no GET or HEAD request with a body; a client may still send one.
    if (parts.body !== null && parts.method !== 'GET' && parts.method !== 'HEAD') {
      init['body'] = typeof parts.body === 'function' ? parts.body() : parts.body;
      init['duplex'] = 'half';
    }
    request[kNative] = new NativeRequest(parts.url, init);
    request[kHeaders] = request[kNative].headers;
  }
  return request[kNative];
}

const delegated = [
  'body',
  'bodyUsed',
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
    get(this: Fast): unknown {
      return nativeOf(this)[name as keyof NativeRequest];
    },
  });
}

for (const name of ['arrayBuffer', 'blob', 'bytes', 'clone', 'formData', 'json', 'text'] as const) {
  Object.defineProperty(FastRequest.prototype, name, {
    configurable: true,
    enumerable: true,
    writable: true,
    value(this: Fast): unknown {
      return nativeOf(this)[name]();
    },
  });
}

Object.setPrototypeOf(FastRequest.prototype, NativeRequest.prototype);
Object.defineProperty(FastRequest, 'name', { value: 'Request' });

/** The request a handler gets. */
export function createRequest(parts: RequestParts): NativeRequest {
  return new FastRequest(parts) as unknown as NativeRequest;
}

function unwrap(input: unknown): unknown {
  return typeof input === 'object' && input !== null && kParts in input ? nativeOf(input as unknown as Fast) : input;
}

/** Makes the global Request and fetch of this thread accept the requests made here. */
export function installFastRequest(): void {
  class Request extends NativeRequest {
    constructor(input: ConstructorParameters<typeof globalThis.Request>[0], init?: RequestInit) {
      super(unwrap(input) as NativeRequest, init);
    }

    static override [Symbol.hasInstance](this: unknown, value: unknown): boolean {
      if (this !== Request) return Function.prototype[Symbol.hasInstance].call(this, value);
      return value instanceof NativeRequest;
    }
  }
  Object.defineProperty(globalThis, 'Request', { configurable: true, writable: true, value: Request });
  const fetch: typeof nativeFetch = (input, init) => nativeFetch(unwrap(input) as NativeRequest, init);
  Object.defineProperty(globalThis, 'fetch', { configurable: true, writable: true, value: fetch });
}
