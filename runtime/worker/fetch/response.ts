/**
 * A Response whose parts stay plain until somebody looks at them. Most responses are
 * made with a string or bytes and a few headers, and go straight to the socket: building
 * undici's Headers, Response and stream for them costs more than the rest of the request.
 * Everything that is not a plain constructor call is left to the native class.
 */
import { bytesOf, isRead, readAll, streamOf, textOf, unusable } from './body.ts';
import { FastHeaders } from './headers.ts';
import { native, nativeIfLoaded, onNative, replaceGlobal } from './native.ts';
import { nullBodyStatus, plainOf, privateBody } from './plain-response.ts';
import type { BodyLike, Init, PlainResponse } from './plain-response.ts';

type NativeResponse = globalThis.Response;

let nativeOf: (response: FastResponse) => NativeResponse;
let upToDate: (response: FastResponse) => NativeResponse;
let plainPartsOf: (response: object) => PlainResponse | null;
let spend: (response: object) => void;

// Private fields: whoever spreads or wraps a response must find no key that a native one has not.
class FastResponse {
  /** Null once the native response has taken over. */
  #plain: PlainResponse | null;
  #native: NativeResponse | null;
  /** Made when `headers` is first read; from then on what counts. */
  #headers: FastHeaders | null = null;
  /** The body when it is a stream, or was asked for as one. */
  #stream: ReadableStream<Uint8Array> | null = null;
  /** The body was read without a stream. */
  #used = false;

  constructor(body: BodyLike = null, init?: Init) {
    if (isFreshStream(body)) {
      this.#stream = body;
      this.#plain = plainOf(null, init);
      if (this.#plain !== null && nullBodyStatus.has(this.#plain.status)) this.#plain = null;
    } else {
      this.#plain = plainOf(body, init);
    }
    // Odd input goes to the native class at once, so that its errors come from here.
    this.#native = this.#plain === null ? new (native().Response)(body, init) : null;
  }

  static {
    nativeOf = (response) => response.#toNative();
    upToDate = (response) => response.#upToDate();
    plainPartsOf = (response) => (#plain in response ? response.#plainParts() : null);
    spend = (response) => {
      if (#used in response) response.#used = true;
    };
  }

  static json(data: unknown, init?: Init): NativeResponse {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError('Value is not JSON serializable');
    const plain = plainOf(text, init, 'application/json');
    if (plain === null) return native().Response.json(data, init);
    const response = new FastResponse(null);
    response.#plain = plain;
    return response as unknown as NativeResponse;
  }

  static error(): NativeResponse {
    return native().Response.error();
  }

  static redirect(url: string | URL, status: 301 | 302 | 303 | 307 | 308 = 302): NativeResponse {
    if (![301, 302, 303, 307, 308].includes(Number(status)))
      throw new RangeError(`Invalid status code ${String(status)}`);
    // No base URL on a server: as in undici, only an absolute one parses.
    const location = new URL(String(url)).href;
    return new FastResponse(null, { status: Number(status), headers: { location } }) as unknown as NativeResponse;
  }

  get headers(): FastHeaders | Headers {
    if (this.#headers !== null) return this.#headers;
    if (this.#plain === null) return this.#native!.headers;
    return (this.#headers = FastHeaders.fromRaw(this.#plain.headers));
  }

  get status(): number {
    return this.#plain?.status ?? this.#native!.status;
  }

  get statusText(): string {
    return this.#plain?.statusText ?? this.#native!.statusText;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  get bodyUsed(): boolean {
    if (this.#plain === null) return this.#native!.bodyUsed;
    return this.#used || (this.#stream !== null && isRead(this.#stream));
  }

  get body(): ReadableStream | null {
    if (this.#plain === null || this.#used) return nativeOf(this).body;
    if (this.#stream === null && this.#plain.body !== null) this.#stream = streamOf(this.#plain.body);
    return this.#stream;
  }

  async text(): Promise<string> {
    return this.#plain === null ? await this.#native!.text() : textOf(await this.#read());
  }

  async json(): Promise<unknown> {
    if (this.#plain === null) return await this.#native!.json();
    return JSON.parse(textOf(await this.#read())) as unknown;
  }

  async bytes(): Promise<Uint8Array> {
    return this.#plain === null ? await this.#native!.bytes() : (await this.#read()).slice();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#plain === null ? await this.#native!.arrayBuffer() : (await this.#read()).slice().buffer;
  }

  clone(): NativeResponse {
    if (this.#plain === null) return upToDate(this).clone();
    if (this.bodyUsed || this.#stream?.locked === true) {
      throw new TypeError('Response.clone: Body has already been consumed.');
    }
    const copy = new FastResponse();
    const { body } = this.#plain;
    // Bytes of its own: those of a response that is sent may be moved away.
    copy.#plain = {
      ...this.#plain,
      headers: this.#flatHeaders(),
      body: privateBody(body),
    };
    if (this.#stream !== null) [this.#stream, copy.#stream] = this.#stream.tee();
    return copy as unknown as NativeResponse;
  }

  get [Symbol.toStringTag](): string {
    return 'Response';
  }

  get type(): NativeResponse['type'] {
    return this.#native?.type ?? 'default';
  }

  get url(): string {
    return this.#native?.url ?? '';
  }

  get redirected(): boolean {
    return this.#native?.redirected ?? false;
  }

  #plainParts(): PlainResponse | null {
    if (this.#plain === null || this.#stream !== null || this.#used) return null;
    return this.#headers === null ? this.#plain : { ...this.#plain, headers: this.#flatHeaders() };
  }

  #flatHeaders(): string[] {
    if (this.#headers === null) return [...this.#plain!.headers];
    const headers: string[] = [];
    this.#headers.flattenInto(headers);
    return headers;
  }

  /** The whole body, once; of one that is null, nothing, as often as wanted. */
  async #read(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#used) throw unusable();
    if (this.#stream !== null) return await readAll(this.#stream);
    const { body } = this.#plain!;
    if (body === null) return new Uint8Array(0);
    this.#used = true;
    return bytesOf(body);
  }

  /** The native response, made on first use. */
  #toNative(): NativeResponse {
    if (this.#plain === null) return this.#native!;
    const { body, status, statusText } = this.#plain;
    const headers = this.headers as Headers;
    const made = new (native().Response)((this.#stream ?? body) as BodyLike, { status, statusText, headers });
    this.#native = made;
    this.#plain = null;
    // What was read stays read.
    if (this.#used) void made.arrayBuffer();
    return made;
  }

  /** The native response with the headers as the handler left them. */
  #upToDate(): NativeResponse {
    const made = this.#toNative();
    if (this.#headers === null) return made;
    for (const name of made.headers.keys().toArray()) made.headers.delete(name);
    for (const [name, value] of this.#headers) made.headers.append(name, value);
    return made;
  }

  static [Symbol.hasInstance](this: unknown, value: unknown): boolean {
    const own: boolean = Function.prototype[Symbol.hasInstance].call(this, value);
    const theirs = own || this !== FastResponse ? null : nativeIfLoaded();
    return own || (theirs !== null && value instanceof theirs.Response);
  }
}

/** A stream that nobody reads or has read: others the native class shall refuse. */
function isFreshStream(body: BodyLike): body is ReadableStream<Uint8Array> & NonNullable<BodyLike> {
  if (typeof body !== 'object' || body === null || !(body instanceof ReadableStream)) return false;
  return !body.locked && !isRead(body);
}

for (const name of ['blob', 'formData', 'textStream'] as const) {
  Object.defineProperty(FastResponse.prototype, name, {
    configurable: true,
    enumerable: true,
    writable: true,
    value(this: FastResponse): unknown {
      return (nativeOf(this) as NativeResponse & { textStream(): unknown })[name]();
    },
  });
}

/** The parts of a response whose body nobody looked at; null when it must be read as a native one. */
export function plainResponse(response: object): PlainResponse | null {
  return plainPartsOf(response);
}

/** The bytes of a plain response are gone: it counts as read. */
export function spendResponse(response: object): void {
  spend(response);
}

/** Replaces the global Response of this thread. */
export function installResponse(): void {
  Object.defineProperty(FastResponse, 'name', { value: 'Response' });
  for (const name of Object.keys(Object.getOwnPropertyDescriptors(FastResponse.prototype))) {
    if (name !== 'constructor') Object.defineProperty(FastResponse.prototype, name, { enumerable: true });
  }
  onNative((classes) => {
    Object.setPrototypeOf(FastResponse, classes.Response);
    Object.setPrototypeOf(FastResponse.prototype, classes.Response.prototype);
  });
  replaceGlobal('Response', FastResponse);
}
