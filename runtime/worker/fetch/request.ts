/**
 * A Request that is built when somebody looks deeper than method, URL, headers and a
 * body that is there in full. It passes `instanceof Request`; `new Request(r)` and `fetch(r)` see
 * the native one behind it.
 */
import { flatOf } from '../../channel/header-lines.ts';
import type { ArrivingBody } from '../body-source.ts';
import { bytesOf, isRead, readAll, streamOf, textOf, unusable } from './body.ts';
import { FastHeaders } from './headers.ts';
import { native, nativeIfLoaded, onNative, replaceGlobal } from './native.ts';

type NativeRequest = globalThis.Request;

/** What a request is made of. */
export interface RequestParts {
  method: string;
  url: string;
  /** As the client sent them, a line each. */
  headerLines: string;
  /** All of the body, which nobody else has, or what is on its way. */
  body: Uint8Array | ArrivingBody | null;
  readonly signal: AbortSignal;
}

// What the URL standard leaves as it is. Upper-case hosts, default ports, quotes and the like go through it.
const serialised = /^http(?::\/\/[a-z\d._-]+(?!:80\/)|s:\/\/[a-z\d._-]+(?!:443\/))(?::\d+)?\/[\w.~!$&()*+,;=:@%/?-]*$/;

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
  /** The body, when it comes as a stream or was asked for as one. */
  #stream: ReadableStream<Uint8Array> | null = null;
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
    return this.#parts.signal;
  }

  get bodyUsed(): boolean {
    if (this.#native !== null) return this.#native.bodyUsed;
    return this.#used || (this.#stream !== null && isRead(this.#stream));
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#native !== null || this.#used) return nativeOf(this).body;
    if (this.#hasBody()) this.#stream ??= this.#open();
    return this.#stream;
  }

  async text(): Promise<string> {
    return this.#native === null ? textOf(await this.#read()) : await this.#native.text();
  }

  async json(): Promise<unknown> {
    if (this.#native !== null) return await this.#native.json();
    return JSON.parse(textOf(await this.#read())) as unknown;
  }

  async bytes(): Promise<Uint8Array> {
    return this.#native === null ? await this.#read() : await this.#native.bytes();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    if (this.#native !== null) return await this.#native.arrayBuffer();
    const bytes = await this.#read();
    return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
  }

  get [Symbol.toStringTag](): string {
    return 'Request';
  }

  /** Fetch has no GET or HEAD request with a body; a client may still send one. */
  #hasBody(): boolean {
    const { body, method } = this.#parts;
    return body !== null && method !== 'GET' && method !== 'HEAD';
  }

  #open(): ReadableStream<Uint8Array> {
    const { body } = this.#parts;
    return body instanceof Uint8Array ? streamOf(body) : body!.open();
  }

  /** The whole body, once; of a request without, nothing, as often as wanted. */
  async #read(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#used) throw unusable();
    if (!this.#hasBody()) return new Uint8Array(0);
    const { body } = this.#parts;
    if (this.#stream !== null) return await readAll(this.#stream);
    this.#used = true;
    return body instanceof Uint8Array ? bytesOf(body) : await body!.collect();
  }

  #toNative(): NativeRequest {
    if (this.#native !== null) return this.#native;
    const { body, method, signal } = this.#parts;
    const used = this.bodyUsed;
    const init: Record<string, unknown> = { method, headers: this.headers, signal };
    if (this.#hasBody()) {
      // No request can be made of a body that was read; of an empty one in its place it can.
      init['body'] = used ? '' : (this.#stream ?? (body instanceof Uint8Array ? body : body!.open()));
      init['duplex'] = 'half';
    }
    const made = new (native().Request)(this.url, init);
    this.#native = made;
    // What was read stays read.
    if (used) void made.arrayBuffer();
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

/** What every request says that was made with a method, headers, a body and a signal only. */
const defaults = {
  cache: 'default',
  credentials: 'same-origin',
  destination: '',
  duplex: 'half',
  integrity: '',
  isHistoryNavigation: false,
  isReloadNavigation: false,
  keepalive: false,
  mode: 'cors',
  redirect: 'follow',
  referrer: 'about:client',
  referrerPolicy: '',
};

for (const [name, value] of Object.entries(defaults)) {
  Object.defineProperty(FastRequest.prototype, name, { configurable: true, enumerable: true, get: () => value });
}

const delegated: Record<string, (this: FastRequest) => unknown> = {
  async blob() {
    return await nativeOf(this).blob();
  },
  clone() {
    return upToDate(this).clone();
  },
  async formData() {
    return await nativeOf(this).formData();
  },
  textStream() {
    return (nativeOf(this) as NativeRequest & { textStream(): unknown }).textStream();
  },
};

for (const [name, value] of Object.entries(delegated)) {
  Object.defineProperty(FastRequest.prototype, name, { configurable: true, enumerable: true, writable: true, value });
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
  for (const [name, own] of Object.entries(Object.getOwnPropertyDescriptors(ours))) {
    if (name === 'constructor') continue;
    Object.defineProperty(ours, name, { enumerable: true });
    const of = (request: object): PropertyDescriptor =>
      isFast(request) ? own : Object.getOwnPropertyDescriptor(native().Request.prototype, name)!;
    const shared: PropertyDescriptor = { configurable: true, enumerable: true };
    if (own.get === undefined) {
      // Only there: whoever replaces a method means the handler's requests too.
      Reflect.deleteProperty(ours, name);
      shared.writable = true;
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
      const theirs = own || this !== Request ? null : nativeIfLoaded();
      return own || (theirs !== null && value instanceof theirs.Request);
    },
  });
  onNative((classes) => {
    Object.setPrototypeOf(Request, classes.Request);
    Object.setPrototypeOf(Request.prototype as object, classes.Request.prototype);
  });
  dispatchMembers();
  replaceGlobal('Request', Request);
  const fetch: typeof globalThis.fetch = (input, init) => native().fetch(unwrap(input) as NativeRequest, init);
  replaceGlobal('fetch', fetch);
}
