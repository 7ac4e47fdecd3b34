import { socketLimits } from '../contract/limits.ts';

/** What a handler's socket needs from its worker. */
export interface SocketWire {
  send(data: string | Uint8Array): void;
  /** `code` 0: none is told. */
  close(code: number, reason: string): void;
  /** So many messages were dispatched, and so many bytes may follow in their place. */
  taken(messages: number, bytes: number): void;
  /** A listener threw, or its promise rejected. */
  failed(error: unknown): void;
  /** Resolves when `promise` is settled, or when a message has had its time. */
  within(promise: Promise<unknown>): Promise<void>;
  /** Keeps the worker for what a close listener has still to do. */
  waitUntil(promise: Promise<unknown>): void;
}

/** The platform's side of a handler's socket. */
export interface SocketControl {
  /** The handler has returned: whatever waited for its listeners is dispatched. */
  start(): void;
  message(data: string | Uint8Array): void;
  sent(bytes: number): void;
  closed(code: number, reason: string, error: string | null): void;
  /** The handler failed: the client is told with 1011. */
  fail(): void;
}

export interface ServerSocketOptions {
  url: string;
  protocol: string;
  wire: SocketWire;
}

type Listener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };
type ListenerOptions = Parameters<EventTarget['addEventListener']>[2];

const states = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 } as const;
const eventTypes = ['open', 'message', 'error', 'close'] as const;

/** The server's end of a WebSocket, with the interface of the standard. It is open from the start. */
class ServerSocket extends EventTarget {
  readonly url: string;
  readonly protocol: string;
  readonly extensions = '';
  readonly #wire: SocketWire;
  readonly #wrapped = new WeakMap<object, (event: Event) => void>();
  readonly #attributes = new Map<string, Listener>();
  #binaryType: 'arraybuffer' | 'blob' = 'arraybuffer';
  #readyState: number = states.OPEN;
  /** Messages (and the close) that came before the handler listened. */
  #early: (() => void)[] | null = [];
  #buffered = 0;
  /** What is buffered, with something for each message: empty ones must not be free. */
  #cost = 0;
  /** Blobs are read first; what is sent after one waits for it. */
  #order: Promise<void> | null = null;
  /** Promises of the listeners of the event that is being dispatched. */
  #promises: Promise<unknown>[] = [];

  constructor({ url, protocol, wire }: ServerSocketOptions, expose: (control: SocketControl) => void) {
    super();
    this.url = url;
    this.protocol = protocol;
    this.#wire = wire;
    expose({
      start: () => this.#start(),
      message: (data) => this.#onMessage(data),
      sent: (bytes) => {
        this.#buffered -= bytes;
        this.#cost -= bytes + socketLimits.messageOverheadBytes;
      },
      closed: (code, reason, error) => this.#onClosed(code, reason, error),
      fail: () => this.#end(1011, 'the function failed'),
    });
  }

  get readyState(): number {
    return this.#readyState;
  }

  /** Bytes that were sent and have not left the process yet. */
  get bufferedAmount(): number {
    return this.#buffered;
  }

  get binaryType(): 'arraybuffer' | 'blob' {
    return this.#binaryType;
  }

  set binaryType(type: string) {
    if (type === 'arraybuffer' || type === 'blob') this.#binaryType = type;
  }

  send(data: unknown): void {
    if (this.#readyState !== states.OPEN) return;
    if (this.#order === null && !(data instanceof Blob)) {
      const message = toMessage(data);
      const size = sizeOf(message);
      if (this.#reserve(size)) this.#wire.send(message);
      return;
    }
    const message = data instanceof Blob ? data : toMessage(data);
    if (!this.#reserve(message instanceof Blob ? message.size : sizeOf(message))) return;
    const copy = message instanceof Uint8Array ? new Uint8Array(message) : message;
    this.#inOrder(async () => {
      this.#wire.send(copy instanceof Blob ? new Uint8Array(await copy.arrayBuffer()) : copy);
    });
  }

  close(code?: number, reason = ''): void {
    const text = String(reason);
    if (code !== undefined && !mayBeSent(code)) {
      throw new DOMException(`Cannot close with code ${code}: it is none that may be sent`, 'InvalidAccessError');
    }
    if (Buffer.byteLength(text) > socketLimits.reasonBytes) {
      throw new DOMException(`Cannot close with a reason above ${socketLimits.reasonBytes} bytes`, 'SyntaxError');
    }
    // A close frame has no room for a reason without a code.
    this.#end(code ?? (text === '' ? 0 : 1000), text);
  }

  override addEventListener(type: string, listener: Listener | null, options?: ListenerOptions): void {
    super.addEventListener(type, this.#wrap(listener) as EventListener, options);
    // Other listeners are likely to follow in the same turn.
    if (type === 'message' && this.#early !== null) queueMicrotask(() => this.#start());
  }

  override removeEventListener(type: string, listener: Listener | null, options?: ListenerOptions): void {
    super.removeEventListener(type, this.#wrap(listener) as EventListener, options);
  }

  get [Symbol.toStringTag](): string {
    return 'WebSocket';
  }

  static {
    for (const [name, value] of Object.entries(states)) {
      Object.defineProperty(ServerSocket, name, { value, enumerable: true });
      Object.defineProperty(ServerSocket.prototype, name, { value, enumerable: true });
    }
    for (const type of eventTypes) {
      Object.defineProperty(ServerSocket.prototype, `on${type}`, {
        configurable: true,
        enumerable: true,
        get(this: ServerSocket) {
          return this.#attributes.get(type) ?? null;
        },
        set(this: ServerSocket, listener: unknown) {
          const before = this.#attributes.get(type);
          if (before !== undefined) this.removeEventListener(type, before);
          this.#attributes.delete(type);
          if (typeof listener !== 'function') return;
          // A function of its own: the same one may also be added as a listener.
          const own = (event: Event): unknown => listener.call(this, event) as unknown;
          this.#attributes.set(type, own);
          this.addEventListener(type, own);
        },
      });
    }
  }

  /** A listener that fails ends its own socket, and not, as an uncaught error would, the whole worker. */
  #wrap(listener: Listener | null): ((event: Event) => void) | null {
    if (listener === null || listener === undefined) return null;
    let wrapped = this.#wrapped.get(listener);
    if (wrapped === undefined) {
      wrapped = (event) => {
        try {
          const returned = typeof listener === 'function' ? listener.call(this, event) : listener.handleEvent(event);
          if (!isPromise(returned)) return;
          this.#promises.push(Promise.resolve(returned).catch((error) => this.#listenerFailed(error)));
        } catch (error) {
          this.#listenerFailed(error);
        }
      };
      this.#wrapped.set(listener, wrapped);
    }
    return wrapped;
  }

  #start(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const event of early) event();
  }

  #onMessage(data: string | Uint8Array): void {
    const cost = sizeOf(data) + socketLimits.messageOverheadBytes;
    const take = (): void => {
      // After close() nothing more is dispatched, as the standard has it.
      if (this.#readyState === states.CLOSING) this.#wire.taken(1, cost);
      else this.#dispatchMessage(data, cost);
    };
    if (this.#early === null) take();
    else this.#early.push(take);
  }

  #dispatchMessage(data: string | Uint8Array, cost: number): void {
    const binary = (bytes: Uint8Array): unknown =>
      this.#binaryType === 'blob' ? new Blob([bytes as Uint8Array<ArrayBuffer>]) : exactBuffer(bytes);
    const promises = this.#dispatch(
      new MessageEvent('message', { data: typeof data === 'string' ? data : binary(data) }),
    );
    if (promises.length === 0) {
      this.#wire.taken(1, cost);
      return;
    }
    // The client may send on only as fast as asynchronous listeners work.
    this.#wire.taken(1, 0);
    void this.#wire.within(Promise.all(promises)).then(() => this.#wire.taken(0, cost));
  }

  #onClosed(code: number, reason: string, error: string | null): void {
    this.#readyState = states.CLOSED;
    const tell = (): void => {
      const wasClean = error === null && code !== 1006;
      const promises = error === null ? [] : this.#dispatch(new ErrorEvent('error', { message: error }));
      promises.push(...this.#dispatch(new CloseEvent('close', { code, reason, wasClean })));
      for (const promise of promises) this.#wire.waitUntil(promise);
    };
    if (this.#early === null) tell();
    else this.#early.push(tell);
  }

  #dispatch(event: Event): Promise<unknown>[] {
    this.#promises = [];
    this.dispatchEvent(event);
    return this.#promises;
  }

  #listenerFailed(error: unknown): void {
    this.#wire.failed(error);
    this.#end(1011, 'the function failed');
  }

  #end(code: number, reason: string): void {
    if (this.#readyState >= states.CLOSING) return;
    this.#readyState = states.CLOSING;
    if (this.#order === null) this.#wire.close(code, reason);
    else this.#inOrder(async () => this.#wire.close(code, reason));
  }

  /** Counts what is to be sent; false ends the socket: the client takes less than the handler sends. */
  #reserve(size: number): boolean {
    const cost = size + socketLimits.messageOverheadBytes;
    if (this.#cost + cost > socketLimits.bufferedBytes) {
      this.#end(1013, 'the client does not read fast enough');
      return false;
    }
    this.#buffered += size;
    this.#cost += cost;
    return true;
  }

  #inOrder(step: () => Promise<void>): void {
    const before = this.#order ?? Promise.resolve();
    const mine = before.then(step).catch((error) => this.#listenerFailed(error));
    this.#order = mine;
    void mine.then(() => {
      if (this.#order === mine) this.#order = null;
    });
  }
}

/** Makes the socket that a handler gets, and the platform's side of it. */
export function createServerSocket(options: ServerSocketOptions): { socket: WebSocket; control: SocketControl } {
  let control: SocketControl | null = null;
  const socket = new ServerSocket(options, (own) => {
    control = own;
  });
  return { socket: socket as unknown as WebSocket, control: control! };
}

/** Bytes are copied: the handler may write into its own at once. */
function toMessage(data: unknown): string | Uint8Array {
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) return Buffer.from(data as ArrayBuffer);
  return String(data);
}

function sizeOf(message: string | Uint8Array): number {
  return typeof message === 'string' ? Buffer.byteLength(message) : message.byteLength;
}

function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  return (byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)) as ArrayBuffer;
}

/** RFC 6455, section 7.4, and the codes registered since; 1004 to 1006 and 1015 are never sent. */
function mayBeSent(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999);
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as Promise<unknown>).then === 'function';
}
