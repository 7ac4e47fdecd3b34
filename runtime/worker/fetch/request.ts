/**
 * A Request that is built when somebody looks deeper than method, URL, headers and a
 * body that is there in full. It passes `instanceof Request`; `new Request(r)` and `fetch(r)` see
 * the native one behind it.
 */
import { flatOf } from '../../channel/header-lines.ts';
import { FastHeaders } from './headers.ts';
import { native, replaceGlobal } from './native.ts';

type NativeRequest = globalThis.Request;

/** What a request is made of. */
export interface RequestParts {
  method: string;
  url: string;
  /** As the client sent them, a line each. */
  headerLines: string;
  /** All of the body, or a function that opens its stream. */
  body: Uint8Array | (() => ReadableStream<Uint8Array>) | null;
  signal: () => AbortSignal;
}

// What the URL standard leaves as it is. Upper-case hosts, default ports, quotes and the like go through it.
const serialised = /^http(?::\/\/[a-z\d._-]+(?!:80\/)|s:\/\/[a-z\d._-]+(?!:443\/))(?::\d+)?\/[\w.~!$&()*+,;=:@%/?-]*$/;
const decoder = new TextDecoder();

/** Whether a value is a request made here. */
let isFast: (value: object) => value is FastRequest;
let nativeOf: (request: FastRequest) => NativeRequest;
let upToDate: (request: FastRequest) => NativeRequest;

// Private fields: routers spread requests and wrap them in a Proxy, and must find no key that a native one has not.
class FastRequest {
  readonly #parts: RequestParts;
  #native: NativeRequest | null = null;
  #headers: FastHeaders | null = null;
  #url: string | null = null;
  /** The body was read without the native request. */
  #used = false;

  constructor(parts: RequestParts) {
    this.#parts = parts;
  }

  static {
    isFast = (value): value is FastRequest => #parts in value;
    nativeOf = (request) => request.#toNative();
    upToDate = (request) => request.#upToDate();
  }

  get method(): string {
    return this.#parts.method;
  }

  get url(): string {
    return (this.#url ??= serialise(this.#parts.url));
  }

  get headers(): FastHeaders {
    return (this.#headers ??= FastHeaders.fromRaw(flatOf(this.#parts.headerLines)));
  }

  get signal(): AbortSignal {
    return this.#parts.signal();
  }

  get bodyUsed(): boolean {
    return this.#native === null ? this.#used : this.#native.bodyUsed;
  }

  async text(): Promise<string> {
    const bytes = this.#takeBody();
    return bytes === null ? await nativeOf(this).text() : decoder.decode(bytes);
  }

  async json(): Promise<unknown> {
    const bytes = this.#takeBody();
    return bytes === null ? await nativeOf(this).json() : (JSON.parse(decoder.decode(bytes)) as unknown);
  }

  async bytes(): Promise<Uint8Array> {
    return this.#takeBody() ?? (await nativeOf(this).bytes());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = this.#takeBody();
    return bytes === null ? await nativeOf(this).arrayBuffer() : bytes.slice().buffer;
  }

  get [Symbol.toStringTag](): string {
    return 'Request';
  }

  /** The bytes of a body that is there in full, once; null when the native request must answer. */
  #takeBody(): Uint8Array | null {
    const { body, method } = this.#parts;
    if (this.#native !== null || typeof body === 'function') return null;
    // Fetch has no GET or HEAD request with a body; a client may still send one.
    if (body === null || method === 'GET' || method === 'HEAD') return new Uint8Array(0);
    if (this.#used) throw new TypeError('Body is unusable: Body has already been read');
    this.#used = true;
    return body;
  }

  #toNative(): NativeRequest {
    if (this.#native !== null) return this.#native;
    const { body, method, signal } = this.#parts;
    const init: Record<string, unknown> = { method, headers: this.headers, signal: signal() };
    if (body !== null && method !== 'GET' && method !== 'HEAD') {
      init['body'] = typeof body === 'function' ? body() : body;
      init['duplex'] = 'half';
    }
    const made = new (native().Request)(this.url, init);
    this.#native = made;
    // What was read stays read.
    if (this.#used) void made.arrayBuffer();
    return made;
  }

  /** The native request with the headers as the handler left them. */
  #upToDate(): NativeRequest {
    const made = this.#toNative();
    if (this.#headers === null) return made;
    for (const name of made.headers.keys().toArray()) made.headers.delete(name);
    for (const [name, value] of this.#headers) made.headers.append(name, value);
    return made;
  }
}

function serialise(url: string): string {
  return serialised.test(url) ? url : new URL(url).href;
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

/** The request a handler gets. */
export function createRequest(parts: RequestParts): NativeRequest {
  return new FastRequest(parts) as unknown as NativeRequest;
}

function unwrap(input: unknown): unknown {
  return typeof input === 'object' && input !== null && isFast(input) ? upToDate(input) : input;
}

/** What stands at `globalThis.Request`: makes native requests, and takes ours as input. */
function Request(this: unknown, input: unknown, init?: unknown): NativeRequest {
  if (new.target === undefined) throw new TypeError("Class constructor Request cannot be invoked without 'new'");
  return Reflect.construct(native().Request, [unwrap(input), unwrap(init)], new.target) as NativeRequest;
}

/**
 * Gives `Request.prototype` members that know both kinds: a handler may call them on any request
 * (`Request.prototype.text.call(request)`), and enumerate them.
 */
function dispatchMembers(): void {
  const ours = FastRequest.prototype;
  const theirs = native().Request.prototype;
  for (const [name, own] of Object.entries(Object.getOwnPropertyDescriptors(ours))) {
    const other = Object.getOwnPropertyDescriptor(theirs, name);
    if (other === undefined || name === 'constructor') continue;
    Object.defineProperty(ours, name, { enumerable: true });
    const of = (request: object): PropertyDescriptor => (isFast(request) ? own : other);
    const shared: PropertyDescriptor = { configurable: true, enumerable: true };
    if (own.get === undefined) {
      shared.value = function (this: object): unknown {
        return (of(this).value as () => unknown).call(this);
      };
    } else {
      shared.get = function (this: object): unknown {
        return of(this).get!.call(this);
      };
    }
    Object.defineProperty(Request.prototype, name, shared);
  }
  Object.defineProperty(ours, 'constructor', { value: Request });
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
  dispatchMembers();
  replaceGlobal('Request', Request);
  const nativeFetch = native().fetch;
  const fetch: typeof nativeFetch = (input, init) => nativeFetch(unwrap(input) as NativeRequest, init);
  replaceGlobal('fetch', fetch);
}
