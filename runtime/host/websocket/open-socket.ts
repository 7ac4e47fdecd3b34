import type { WebSocket } from 'ws';
import { httpLimits, socketLimits } from '../../contract/limits.ts';
import type { FunctionSettings } from '../../contract/settings.ts';
import { abortReasons, toWorker } from '../../channel/frames.ts';
import type { FrameField } from '../../channel/frames.ts';
import type { SocketListener } from '../invocation.ts';

/** The part of a worker that a socket talks to. */
export interface SocketWorker {
  /** Sends a frame of an invocation that runs. */
  post(opcode: number, id: number, ...fields: FrameField[]): void;
  abort(id: number, reasonIndex: number, options?: { graceMs?: number }): void;
}

export interface OpenSocketOptions {
  worker: SocketWorker;
  /** Its id in the worker. */
  id: number;
  settings: Pick<FunctionSettings, 'timeoutMs' | 'socketIdleMs'>;
  /** Says in the app's log why the host closed it. */
  onTrouble: (message: string) => void;
  /** Called once, with the code of the close. */
  onClosed: (code: number) => void;
}

const clientGone = abortReasons.indexOf('client-gone');
const timedOut = abortReasons.indexOf('timeout');

/** What a client did wrong, by the code that ws gives it; anything else is 1002. */
const violations: Record<string, number> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
};

/** The host's side of one open WebSocket: messages to and from its worker, credit both ways, and its deadlines. */
export class OpenSocket implements SocketListener {
  readonly #ws: WebSocket;
  readonly #options: OpenSocketOptions;
  #idleTimer: NodeJS.Timeout;
  #deliveryTimer: NodeJS.Timeout | null = null;
  /** Bytes that the client may still send before its handler has taken some. */
  #window: number = socketLimits.windowBytes;
  #undelivered = 0;
  #deliveredAt = 0;
  #activeAt = performance.now();
  /** The client has said something since the last ping went out. */
  #heard = true;
  /** It had nothing said at the last look already. */
  #late = false;
  /** The last ping waits behind other data. */
  #pinging = false;
  /** Some of that data has left. */
  #progress = true;
  #closing = false;
  #violation: { code: number; message: string } | null = null;

  constructor(ws: WebSocket, options: OpenSocketOptions) {
    this.#ws = ws;
    this.#options = options;
    this.#idleTimer = setTimeout(() => this.#checkIdle(), options.settings.socketIdleMs);
    ws.on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    ws.on('ping', () => (this.#heard = true));
    ws.on('pong', () => (this.#heard = true));
    ws.on('error', (error: NodeJS.ErrnoException) => {
      this.#closing = true;
      this.#violation = { code: violations[error.code ?? ''] ?? 1002, message: error.message };
    });
    ws.on('close', (code, reason) => this.#onClosed(code, reason.toString()));
  }

  onSend(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const { worker, id } = this.#options;
    const size = bytes.byteLength;
    this.#activeAt = performance.now();
    this.#ws.send(bytes, { binary: typeof data !== 'string' }, () => {
      this.#progress = true;
      worker.post(toWorker.sent, id, size);
    });
  }

  onClose(code: number, reason: string): void {
    this.close(code, reason);
  }

  onTaken(messages: number, bytes: number): void {
    this.#undelivered -= messages;
    this.#deliveredAt = performance.now();
    this.#window += bytes;
    if (this.#window > 0 && this.#ws.isPaused) this.#ws.resume();
  }

  /** Begins to close; a client that does not answer in `socketLimits.closeMs` is cut off. `code` 0: none is told. */
  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    // Its answer must be read.
    this.#ws.resume();
    if (code === 0) this.#ws.close();
    else this.#ws.close(code, reason);
  }

  /** Called at intervals: pings the client; one that says nothing for a whole interval and more is cut off. */
  ping(): void {
    // Who is not read cannot be heard.
    if (this.#ws.isPaused || this.#closing) return;
    if (this.#pinging ? !this.#progress : !this.#heard && this.#late) {
      this.#ws.terminate();
      return;
    }
    this.#progress = false;
    if (this.#pinging) return;
    // The last ping may have left just now.
    this.#late = !this.#heard;
    if (this.#late) return;
    this.#heard = false;
    this.#pinging = true;
    this.#ws.ping(undefined, undefined, () => (this.#pinging = false));
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#closing) return;
    const { worker, id } = this.#options;
    this.#heard = true;
    this.#activeAt = performance.now();
    worker.post(toWorker.message, id, isBinary ? data : data.toString());
    this.#window -= data.byteLength + socketLimits.messageOverheadBytes;
    if (this.#window <= 0) this.#ws.pause();
    if (this.#undelivered++ > 0) return;
    this.#deliveredAt = this.#activeAt;
    this.#deliveryTimer ??= setTimeout(() => this.#checkDelivery(), this.#options.settings.timeoutMs);
  }

  /** A worker that takes no message for as long as an invocation may last is blocked, or its handler never listens. */
  #checkDelivery(): void {
    this.#deliveryTimer = null;
    if (this.#undelivered === 0 || this.#closing) return;
    const { worker, id, settings, onTrouble } = this.#options;
    const leftMs = this.#deliveredAt + settings.timeoutMs - performance.now();
    if (leftMs > 0) {
      this.#deliveryTimer = setTimeout(() => this.#checkDelivery(), Math.ceil(leftMs));
      return;
    }
    const reason = 'the function did not take a message in time';
    onTrouble(`WebSocket closed: the handler took no message for ${settings.timeoutMs} ms`);
    worker.post(toWorker.closed, id, 1011, reason, null);
    worker.abort(id, timedOut);
    this.close(1011, reason);
  }

  #checkIdle(): void {
    const { socketIdleMs } = this.#options.settings;
    const leftMs = this.#activeAt + socketIdleMs - performance.now();
    if (leftMs > 0) this.#idleTimer = setTimeout(() => this.#checkIdle(), Math.ceil(leftMs));
    else this.close(1000, 'idle');
  }

  #onClosed(code: number, reason: string): void {
    this.#closing = true;
    clearTimeout(this.#idleTimer);
    if (this.#deliveryTimer !== null) clearTimeout(this.#deliveryTimer);
    const { worker, id, settings, onClosed } = this.#options;
    const told = this.#violation?.code ?? code;
    worker.post(toWorker.closed, id, told, reason, this.#violation?.message ?? null);
    // A client that leaves says nothing about the worker: it has as long as for an invocation to notice.
    worker.abort(id, clientGone, { graceMs: settings.timeoutMs + httpLimits.abortSlackMs });
    onClosed(told);
  }
}
