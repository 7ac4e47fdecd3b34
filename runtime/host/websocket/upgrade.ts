import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ServerOptions, WebSocketServer } from 'ws';
import type { ErrorCode } from '../../contract/errors.ts';
import { httpLimits, socketLimits } from '../../contract/limits.ts';
import { abortReasons, toWorker } from '../../channel/frames.ts';
import type { Reply } from '../../channel/frames.ts';
import { requestText } from '../../channel/request-text.ts';
import { linesOf } from '../../channel/header-lines.ts';
import { watchClient } from '../../../router/client-watch.ts';
import { sendProblem } from '../../../router/problem.ts';
import type { FunctionSlot } from '../function-slot.ts';
import type { Job } from '../job.ts';
import type { InvocationListener, SocketListener } from '../invocation.ts';
import { NodeTransaction } from '../node-transaction.ts';
import type { FunctionWorker } from '../worker.ts';
import { msLeft } from '../deadlines.ts';
import { OpenSocket } from './open-socket.ts';
import { refusalOf } from './refusal.ts';

/** What an upgrade is about. */
export interface UpgradeOptions {
  socket: Socket;
  /** What the client has sent beyond its request. */
  head: Buffer;
  /** Protocols that the client offers. */
  offered: string[];
  slot: FunctionSlot;
  url: string;
  params: Record<string, unknown> | null;
  requestId: string;
  clientAddress: string;
  /** Development: failures of the handler are told with their stack. */
  dev: boolean;
  /** The class of the ws package. */
  server: typeof WebSocketServer;
  onTrouble: (message: string) => void;
  /** The status of the answer: 101, or that of the refusal. */
  onAnswered: (status: number) => void;
  onOpen: (socket: OpenSocket) => void;
  /** Called once, when all is over: refused, or opened and closed. */
  onDone: (failed: boolean, socket: OpenSocket | null) => void;
}

const clientGone = abortReasons.indexOf('client-gone');
const timedOut = abortReasons.indexOf('timeout');

/** One request for a WebSocket: waits for a worker, asks it, and opens the socket or answers why not. */
export class Upgrade implements Job, InvocationListener, SocketListener {
  readonly socket = this;
  readonly #req: IncomingMessage;
  readonly #options: UpgradeOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #deadlineAt: number;
  readonly #unwatch: () => void;
  #worker: FunctionWorker | null = null;
  #id = 0;
  #res: ServerResponse | null = null;
  #open: OpenSocket | null = null;
  /** The handler has its socket. */
  #accepted = false;
  #draining = false;
  /** The worker has no part in it any more, or never had one. */
  #over = false;
  #done = false;

  constructor(req: IncomingMessage, options: UpgradeOptions) {
    this.#req = req;
    this.#options = options;
    const { timeoutMs } = options.slot.settings;
    this.#deadlineAt = performance.now() + timeoutMs;
    this.#timer = setTimeout(() => this.#onTimeout(), timeoutMs);
    this.#unwatch = watchClient(options.socket, () => this.#onClientGone());
  }

  get cancelled(): boolean {
    return this.#over;
  }

  start(worker: FunctionWorker): void {
    const { url, params, requestId, clientAddress, offered } = this.#options;
    if (worker.inspection?.websocket !== true) {
      this.reject('FN_NOT_FOUND', 'Since a deployment the function takes no WebSockets');
      return;
    }
    const timeoutMs = msLeft(this.#deadlineAt, performance.now());
    const headerLines = linesOf(this.#req.rawHeaders);
    this.#worker = worker;
    this.#id = worker.begin(this);
    const { text, idEnd, addressEnd, urlEnd } = requestText({ requestId, clientAddress, url, headerLines });
    worker.post(toWorker.upgrade, this.#id, text, idEnd, addressEnd, urlEnd, params, timeoutMs, offered);
  }

  reject(code: ErrorCode, detail: string): void {
    this.#problem(code, detail);
  }

  onAccept(headers: string[], protocol: string): void {
    if (this.#over) return;
    const { slot, socket, head, server, onOpen, onAnswered } = this.#options;
    this.#accepted = true;
    this.#unwatch();
    clearTimeout(this.#timer);
    const wsOptions: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: slot.settings.maxMessageBytes,
      handleProtocols: () => protocol,
      closeTimeout: socketLimits.closeMs,
    };
    const wss = new server(wsOptions);
    wss.on('headers', (lines: string[]) => {
      for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
      lines.push(`x-request-id: ${this.#options.requestId}`);
    });
    // Both would have been said before: the handshake was read when the request came.
    wss.on('wsClientError', () => this.#onClientGone());
    const gone = (): void => this.#onClientGone();
    socket.once('close', gone);
    wss.handleUpgrade(this.#req, socket, head, (ws) => {
      socket.off('close', gone);
      const open = new OpenSocket(ws, {
        worker: this.#worker!,
        id: this.#id,
        settings: slot.settings,
        onTrouble: this.#options.onTrouble,
        onClosed: (code) => this.#finish(code === 1011),
      });
      this.#open = open;
      onAnswered(101);
      onOpen(open);
      if (this.#draining) this.onDrain();
    });
  }

  onSend(data: string | Uint8Array): void {
    this.#open?.onSend(data);
  }

  onClose(code: number, reason: string): void {
    this.#open?.onClose(code, reason);
  }

  onTaken(messages: number, bytes: number): void {
    this.#open?.onTaken(messages, bytes);
  }

  onRespond(reply: Reply): void {
    if (this.#over) return;
    const tx = new NodeTransaction(this.#req, { res: this.#refusal() });
    try {
      if (reply.body === true) tx.begin(reply);
      else tx.respond(reply);
    } catch (error) {
      this.#abandon(timedOut);
      this.#problem('FN_BAD_RESPONSE', (error as Error).message);
      return;
    }
    this.#options.onAnswered(reply.status);
    this.#over = reply.body !== true;
  }

  onChunk(bytes: Uint8Array): void {
    this.#res?.write(bytes, () => this.#worker?.grantCredit(this.#id, bytes.byteLength));
  }

  onEnd(): void {
    this.#over = true;
    this.#res?.end();
  }

  onFail(code: string, message: string, stack: string | null): void {
    this.#problem(code as ErrorCode, this.#options.dev ? message : undefined, stack);
  }

  onCredit(): void {
    // An upgrade has no body.
  }

  onDrain(): void {
    this.#draining = true;
    this.#open?.close(1012, 'the function is being replaced');
  }

  onWorkerGone(reason: string): void {
    this.#over = true;
    this.#options.onTrouble(`lost its worker: ${reason}`);
    if (this.#open === null) this.#problem('FN_WORKER_DIED', this.#options.dev ? reason : undefined);
    else this.#open.close(1011, 'the function ended');
  }

  #refusal(): ServerResponse {
    this.#unwatch();
    const { socket } = this.#options;
    socket.once('close', () => this.#onClientGone());
    return (this.#res ??= refusalOf(this.#req, socket));
  }

  #problem(code: ErrorCode, detail?: string, stack?: string | null): void {
    this.#over = true;
    const { requestId, dev, onAnswered } = this.#options;
    const res = this.#refusal();
    if (!res.headersSent) {
      sendProblem(res, code, {
        requestId,
        ...(detail !== undefined && { detail }),
        ...(dev && typeof stack === 'string' && { stack }),
      });
      onAnswered(res.statusCode);
    } else {
      this.#options.socket.destroy();
    }
    this.#finish(true);
  }

  #onTimeout(): void {
    if (this.#done) return;
    const { slot, onTrouble } = this.#options;
    const { timeoutMs } = slot.settings;
    if (this.#worker === null) slot.forget(this);
    else if (!this.#over) onTrouble(`timed out after ${timeoutMs} ms`);
    this.#abandon(timedOut);
    this.#problem('FN_TIMEOUT', `The function did not answer within ${timeoutMs} ms`);
  }

  /** Takes the invocation away from its worker. */
  #abandon(reason: number): void {
    if (this.#over) return;
    this.#over = true;
    const left = Math.max(0, this.#deadlineAt - performance.now());
    this.#worker?.abort(this.#id, reason, reason === timedOut ? {} : { graceMs: left + httpLimits.abortSlackMs });
  }

  /** Before the socket was open, or while it was refused. */
  #onClientGone(): void {
    this.#unwatch();
    if (this.#worker === null) this.#options.slot.forget(this);
    else if (this.#accepted) this.#worker.post(toWorker.closed, this.#id, 1006, '', null);
    this.#abandon(clientGone);
    this.#options.socket.destroy();
    this.#finish(false);
  }

  #finish(failed: boolean): void {
    if (this.#done) return;
    this.#done = true;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#options.onDone(failed, this.#open);
  }
}
