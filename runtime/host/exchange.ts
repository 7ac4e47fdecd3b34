import { errorCatalogue } from '../contract/errors.ts';
import type { ErrorCode } from '../contract/errors.ts';
import { httpLimits } from '../contract/limits.ts';
import { abortReasons } from '../channel/frames.ts';
import { originForm } from '../../router/target.ts';
import type { Reply } from '../channel/frames.ts';
import { Deadlines, msLeft, takeBack } from './deadlines.ts';
import type { Deadline } from './deadlines.ts';
import type { Arrival, Route } from './arrival.ts';
import type { FunctionSlot } from './function-slot.ts';
import type { Job } from './job.ts';
import type { InvocationListener } from './invocation.ts';
import type { Transaction, TransactionOwner } from './transaction.ts';
import type { FunctionWorker } from './worker.ts';

const clientGone = abortReasons.indexOf('client-gone');
const timedOut = abortReasons.indexOf('timeout');

let onTimeout: (exchange: Exchange) => void;
const deadlines = new Deadlines<Exchange>((exchange) => onTimeout(exchange));

/** Bytes of a body, as far as they are known before any of it is sent. */
function knownBytes({ text, body, announcedBytes }: Reply): number {
  if (body === true) return announcedBytes;
  return text.length - (text.indexOf('\r\n\r\n') + 4) + (body?.byteLength ?? 0);
}

/** One request that a function answers, from its arrival to the last byte of the response. */
export class Exchange implements Job, InvocationListener, TransactionOwner {
  readonly #tx: Transaction;
  readonly #arrival: Arrival;
  readonly #slot: FunctionSlot;
  readonly #params: Record<string, unknown> | null;
  readonly #began: number;
  readonly #deadline: Deadline<Exchange>;
  #worker: FunctionWorker | null = null;
  /** All that the invocation waits for of the request is there. */
  #arrived = false;
  #id = 0;
  /** The worker has no part in it any more. */
  #over = false;
  #done = false;
  #failed = false;
  /** Bytes of the body that the handler announced and that have not come yet; null when unknown. */
  #announced: number | null = null;
  /** Bytes that the function's `maxResponseBytes` leaves; Infinity without one. */
  #allowed = Infinity;
  /** When a refused request may be worth trying again. */
  #retryInMs = 0;

  constructor(arrival: Arrival, { slot, params }: Route) {
    const { tx } = arrival;
    this.#tx = tx;
    this.#arrival = arrival;
    this.#slot = slot;
    this.#params = params;
    this.#began = performance.now();
    this.#deadline = deadlines.add(this, { afterMs: slot.settings.timeoutMs, now: this.#began });
    tx.owner = this;
  }

  static {
    onTimeout = (exchange) => exchange.#onTimeout();
  }

  get cancelled(): boolean {
    return this.#done;
  }

  /** Reads what must be read first, then asks for a worker. */
  begin(): void {
    const { body } = this.#tx;
    if (body.empty) {
      this.#arrived = true;
      this.#slot.dispatch(this, this.#began);
      return;
    }
    body.open({
      maxBytes: this.#slot.settings.maxBodyBytes,
      onReady: () => {
        this.#arrived = true;
        if (!this.#done) this.#slot.dispatch(this, performance.now());
      },
      onTooLarge: () => this.#tooLarge(),
    });
    if (!this.#over) this.#tx.invite();
  }

  start(worker: FunctionWorker, now: number): void {
    const { requestId, peer, host, target } = this.#arrival;
    const url = `${peer.protocol}://${host.host}${originForm(target)}`;
    const clientAddress = peer.address;
    const params = this.#params;
    const timeoutMs = msLeft(this.#deadline.at, now);
    const { method } = this.#tx;
    const headerLines = this.#tx.headerLinesFor(requestId);
    const body = this.#tx.body.inline;
    this.#worker = worker;
    this.#id = worker.invoke({ method, url, headerLines, params, body, requestId, timeoutMs, clientAddress }, this);
    if (body === true) {
      this.#tx.body.stream({
        onChunk: (bytes) => worker.sendBody(this.#id, bytes),
        onFail: (message) => worker.failBody(this.#id, message),
      });
    }
  }

  reject(code: ErrorCode, detail: string, retryInMs = 0): void {
    this.#retryInMs = retryInMs;
    this.#problem(code, detail);
  }

  onRespond(reply: Reply): void {
    this.#announced = reply.announcedBytes === -1 ? null : reply.announcedBytes;
    // Absent in what the boot check of an older version wrote.
    this.#allowed = this.#slot.settings.maxResponseBytes ?? Infinity;
    if (this.#allowed !== Infinity && knownBytes(reply) > this.#allowed) {
      this.#unsendable(`its body is larger than maxResponseBytes = ${this.#allowed}`);
      return;
    }
    if (reply.status >= 500) this.#slot.serverErrors++;
    try {
      if (reply.body === true) {
        this.#tx.begin(reply);
        return;
      }
      this.#over = true;
      this.#tx.respond(reply);
    } catch (error) {
      this.#unsendable((error as Error).message);
    }
  }

  onChunk(bytes: Uint8Array): void {
    const size = bytes.byteLength;
    if (this.#announced !== null) {
      this.#announced -= size;
      if (this.#announced < 0) {
        this.#trouble('its response was cut off: the body is longer than its content-length');
        this.#abandon(clientGone);
        this.#cut();
        return;
      }
    }
    this.#allowed -= size;
    if (this.#allowed < 0) {
      this.#trouble(`its response was cut off: it is larger than maxResponseBytes`);
      this.#abandon(clientGone);
      this.#cut();
      return;
    }
    this.#tx.write(bytes, () => this.#worker?.grantCredit(this.#id, size + httpLimits.chunkOverheadBytes));
  }

  onEnd(): void {
    this.#over = true;
    if (this.#announced !== null && this.#announced > 0) {
      this.#trouble('its response was cut off: the body is shorter than its content-length');
      this.#cut();
    } else {
      this.#tx.end();
    }
  }

  onFail(code: string, message: string, stack: string | null): void {
    this.#over = true;
    // Worth another try, unlike what the handler fails at.
    if (errorCatalogue[code as ErrorCode].status === 503) this.#retryInMs = httpLimits.retryAfterSeconds * 1000;
    if (this.#tx.headSent) this.#cut();
    else this.#problem(code as ErrorCode, this.#arrival.dev ? message : undefined, stack);
  }

  onCredit(bytes: number): void {
    this.#tx.body.grant(bytes);
  }

  onWorkerGone(reason: string): void {
    this.#over = true;
    this.#trouble(`lost its worker: ${reason}`);
    if (this.#tx.headSent) this.#cut();
    else this.#problem('FN_WORKER_DIED', this.#arrival.dev ? reason : undefined);
  }

  #problem(code: ErrorCode, detail?: string, stack?: string | null): void {
    this.#over = true;
    this.#failed = true;
    const { requestId, dev } = this.#arrival;
    this.#tx.problem(code, {
      requestId,
      ...(detail !== undefined && { detail }),
      ...(this.#retryInMs > 0 && { headers: { 'retry-after': String(Math.ceil(this.#retryInMs / 1000)) } }),
      ...(dev && typeof stack === 'string' && { stack }),
    });
  }

  /** The reason is for the log; to the client it would tell of the code. */
  #unsendable(reason: string): void {
    this.#abandon(timedOut);
    this.#trouble(`returned a response that cannot be sent: ${reason}`);
    this.#problem('FN_BAD_RESPONSE', this.#arrival.dev ? reason : undefined);
  }

  /** Ends a response that cannot be completed, so that the client sees that it is not whole. */
  #cut(): void {
    this.#failed = true;
    this.#tx.cut();
  }

  #onTimeout(): void {
    if (this.#over) {
      // What is left is the client's pace, which is its own as long as it takes anything.
      if (!this.#done) this.#tx.cutWhenIdle(httpLimits.responseIdleMs);
      return;
    }
    const { timeoutMs } = this.#slot.settings;
    const { awaited } = this.#tx.body;
    if (this.#arrived) this.#trouble(`timed out after ${timeoutMs} ms`);
    this.#abandon(timedOut);
    if (this.#worker === null) this.#slot.forget(this);
    if (this.#tx.headSent) this.#cut();
    else if (!this.#arrived || awaited)
      this.#problem('FN_REQUEST_TIMEOUT', 'The body of the request did not arrive in time');
    else this.#problem('FN_TIMEOUT', `The function did not answer within ${timeoutMs} ms`);
  }

  #tooLarge(): void {
    this.#abandon(clientGone);
    const { maxBodyBytes } = this.#slot.settings;
    if (this.#tx.headSent) this.#cut();
    else this.#problem('FN_BODY_TOO_LARGE', `The function accepts at most ${maxBodyBytes} bytes`);
  }

  /** Takes the invocation away from its worker. */
  #abandon(reason: number): void {
    if (this.#over || this.#worker === null) {
      this.#over = true;
      return;
    }
    this.#over = true;
    // A client that leaves says nothing about the worker: it has until the timeout to notice.
    const left = Math.max(0, this.#deadline.at - performance.now());
    this.#worker.abort(this.#id, reason, reason === timedOut ? {} : { graceMs: left + httpLimits.abortSlackMs });
  }

  onClosed(): void {
    if (this.#done) return;
    this.#done = true;
    takeBack(this.#deadline);
    if (!this.#over) {
      if (this.#worker === null) this.#slot.forget(this);
      this.#abandon(clientGone);
    }
    this.#tx.body.release();
    if (!this.#failed) return;
    this.#slot.failures++;
    this.#arrival.app.counters.failures++;
  }

  /** Says in the app's log what nobody else does: that it timed out, or lost its worker. */
  #trouble(message: string): void {
    const { app, requestId } = this.#arrival;
    const { fn, release } = this.#slot;
    app.log({ level: 'error', function: fn.name, release, requestId, message });
  }
}
