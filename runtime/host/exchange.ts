import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode } from '../contract/errors.ts';
import { httpLimits } from '../contract/limits.ts';
import { abortReasons } from '../channel/frames.ts';
import type { FrameBody } from '../channel/frames.ts';
import { sendContinue } from '../../router/continue.ts';
import { sendProblem } from '../../router/problem.ts';
import { endToEndHeaders } from '../../router/request-headers.ts';
import type { FunctionSlot } from './function-slot.ts';
import type { Job } from './job.ts';
import { RequestBody } from './request-body.ts';
import { headOf } from './response-head.ts';
import type { InvocationListener } from './invocation.ts';
import type { FunctionWorker } from './worker.ts';

/** What an exchange is about. */
export interface ExchangeOptions {
  slot: FunctionSlot;
  url: string;
  params: Record<string, unknown> | null;
  requestId: string;
  clientAddress: string;
  /** Development: failures of the handler are told with their stack. */
  dev: boolean;
  /** Says in the app's log what nobody else does: that it timed out, or lost its worker. */
  onTrouble: (message: string) => void;
  /** Called once, when the response is over or the client has gone. */
  onDone: (failed: boolean) => void;
}

const clientGone = abortReasons.indexOf('client-gone');
const timedOut = abortReasons.indexOf('timeout');

/** Writes a large body piece by piece, and calls `onProgress` whenever some of it has left. */
function endInPieces(res: ServerResponse, body: Buffer, onProgress: () => void): void {
  let at = 0;
  const more = (): void => {
    if (at > 0) onProgress();
    while (at < body.length && !res.destroyed) {
      const piece = body.subarray(at, at + httpLimits.inlineBodyBytes);
      at += piece.length;
      if (at >= body.length) res.end(piece);
      else if (!res.write(piece)) {
        res.once('drain', more);
        return;
      }
    }
  };
  more();
}

/** One request that a function answers, from its arrival to the last byte of the response. */
export class Exchange implements Job, InvocationListener {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #options: ExchangeOptions;
  readonly #body: RequestBody;
  readonly #deadlineAt: number;
  #timer: NodeJS.Timeout;
  #worker: FunctionWorker | null = null;
  /** All that the invocation waits for of the request is there. */
  #arrived = false;
  #id = 0;
  /** The worker has no part in it any more. */
  #over = false;
  /** The function's time is over, and its response still on its way to the client. */
  #idling = false;
  #done = false;
  #failed = false;
  /** Bytes of the body that the handler announced and that have not come yet; null when unknown. */
  #announced: number | null = null;
  /** When a refused request may be worth trying again. */
  #retryInMs = 0;

  constructor(req: IncomingMessage, { res, ...options }: ExchangeOptions & { res: ServerResponse }) {
    this.#req = req;
    this.#res = res;
    this.#options = options;
    const { timeoutMs, maxBodyBytes } = options.slot.settings;
    this.#deadlineAt = performance.now() + timeoutMs;
    this.#timer = setTimeout(() => this.#onTimeout(), timeoutMs);
    this.#body = new RequestBody(req, { maxBytes: maxBodyBytes });
    res.on('close', this.#onClose);
  }

  get cancelled(): boolean {
    return this.#done;
  }

  /** Reads what must be read first, then asks for a worker. */
  begin(): void {
    this.#body.open({
      onReady: () => {
        this.#arrived = true;
        if (!this.#done) this.#options.slot.dispatch(this);
      },
      onTooLarge: () => this.#tooLarge(),
    });
    if (this.#req.headers.expect !== undefined && !this.#over) sendContinue(this.#res);
  }

  start(worker: FunctionWorker): void {
    const { url, params, requestId, clientAddress } = this.#options;
    const timeoutMs = Math.max(1, Math.ceil(this.#deadlineAt - performance.now()));
    const { method } = this.#req;
    const rawHeaders = endToEndHeaders(this.#req.rawHeaders, requestId);
    const body = this.#body.inline;
    this.#worker = worker;
    this.#id = worker.invoke(
      { method: method!, url, rawHeaders, params, body, requestId, timeoutMs, clientAddress },
      this,
    );
    if (body === true) {
      this.#body.stream({
        onChunk: (bytes) => worker.sendBody(this.#id, bytes),
        onFail: (message) => worker.failBody(this.#id, message),
      });
    }
  }

  reject(code: ErrorCode, detail: string, retryInMs = 0): void {
    this.#retryInMs = retryInMs;
    this.#problem(code, detail);
  }

  onRespond(status: number, statusText: string, headers: string[], body: FrameBody): void {
    const head = headOf({ status, headers, body, requestId: this.#options.requestId, method: this.#req.method! });
    this.#announced = head.announcedBytes;
    const res = this.#res;
    try {
      if (statusText === '') res.writeHead(status, head.headers);
      else res.writeHead(status, statusText, head.headers);
    } catch (error) {
      this.#abandon(timedOut);
      this.#problem('FN_BAD_RESPONSE', (error as Error).message);
      return;
    }
    if (body === true) {
      // At once, and not with the first chunk: an SSE client waits for the head, and nothing may come for long.
      res.flushHeaders();
      return;
    }
    this.#over = true;
    if (body === null || head.withoutBody) res.end();
    else if (body.length > httpLimits.streamWindowBytes)
      endInPieces(res, Buffer.from(body as string), this.#onProgress);
    // node:http encodes the head like a string body that goes with it: as UTF-8. Apart from bytes, as Latin-1.
    else res.end(head.latin1 && typeof body === 'string' ? Buffer.from(body) : body);
  }

  onChunk(bytes: Uint8Array): void {
    const size = bytes.byteLength;
    if (this.#announced !== null) {
      this.#announced -= size;
      if (this.#announced < 0) {
        this.#abandon(clientGone);
        this.#cut();
        return;
      }
    }
    this.#res.write(bytes, () => this.#worker?.grantCredit(this.#id, size));
  }

  onEnd(): void {
    this.#over = true;
    if (this.#announced !== null && this.#announced > 0) this.#cut();
    else this.#res.end();
  }

  onFail(code: string, message: string, stack: string | null): void {
    this.#over = true;
    if (this.#res.headersSent) this.#cut();
    else this.#problem(code as ErrorCode, this.#options.dev ? message : undefined, stack);
  }

  onCredit(bytes: number): void {
    this.#body.grant(bytes);
  }

  onWorkerGone(reason: string): void {
    this.#over = true;
    this.#options.onTrouble(`lost its worker: ${reason}`);
    if (this.#res.headersSent) this.#cut();
    else this.#problem('FN_WORKER_DIED', this.#options.dev ? reason : undefined);
  }

  #problem(code: ErrorCode, detail?: string, stack?: string | null): void {
    this.#over = true;
    this.#failed = true;
    const { requestId, dev } = this.#options;
    // What is left of an upload is not read: the connection cannot be used again.
    if (!this.#req.complete) this.#res.shouldKeepAlive = false;
    sendProblem(this.#res, code, {
      requestId,
      ...(detail !== undefined && { detail }),
      ...(this.#retryInMs > 0 && { headers: { 'retry-after': String(Math.ceil(this.#retryInMs / 1000)) } }),
      ...(dev && typeof stack === 'string' && { stack }),
    });
  }

  /** Ends a response that cannot be completed, so that the client sees that it is not whole. */
  #cut(): void {
    this.#failed = true;
    this.#res.destroy();
  }

  #onTimeout(): void {
    if (this.#over) {
      this.#awaitClient();
      return;
    }
    const { timeoutMs } = this.#options.slot.settings;
    if (this.#arrived) this.#options.onTrouble(`timed out after ${timeoutMs} ms`);
    this.#abandon(timedOut);
    if (this.#worker === null) this.#options.slot.forget(this);
    if (this.#res.headersSent) this.#cut();
    else if (!this.#arrived) this.#problem('FN_REQUEST_TIMEOUT', 'The body of the request did not arrive in time');
    else this.#problem('FN_TIMEOUT', `The function did not answer within ${timeoutMs} ms`);
  }

  #tooLarge(): void {
    this.#abandon(clientGone);
    const { maxBodyBytes } = this.#options.slot.settings;
    if (this.#res.headersSent) this.#cut();
    else this.#problem('FN_BODY_TOO_LARGE', `The function accepts at most ${maxBodyBytes} bytes`);
  }

  /** All is handed to the socket: what is left is the client's pace, which is its own as long as it takes anything. */
  #awaitClient(): void {
    if (this.#done) return;
    this.#idling = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#cut(), httpLimits.responseIdleMs);
  }

  /** Takes the invocation away from its worker. */
  #abandon(reason: number): void {
    if (this.#over || this.#worker === null) {
      this.#over = true;
      return;
    }
    this.#over = true;
    // A client that leaves says nothing about the worker: it has until the timeout to notice.
    const left = Math.max(0, this.#deadlineAt - performance.now());
    this.#worker.abort(this.#id, reason, reason === timedOut ? {} : { graceMs: left + httpLimits.abortSlackMs });
  }

  #onProgress = (): void => {
    if (this.#idling) this.#awaitClient();
  };

  #onClose = (): void => {
    if (this.#done) return;
    this.#done = true;
    clearTimeout(this.#timer);
    if (!this.#over) {
      if (this.#worker === null) this.#options.slot.forget(this);
      this.#abandon(clientGone);
    }
    this.#body.release();
    this.#options.onDone(this.#failed);
  };
}
