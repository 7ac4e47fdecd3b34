import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply } from '../channel/frames.ts';
import { flatOf, linesOf } from '../channel/header-lines.ts';
import { partsOf } from '../channel/response-start.ts';
import type { ErrorCode } from '../contract/errors.ts';
import { httpLimits } from '../contract/limits.ts';
import { sendContinue } from '../../router/continue.ts';
import { bodyBytesLeft, endAfterUpload, sendProblem } from '../../router/problem.ts';
import type { ProblemOptions } from '../../router/problem.ts';
import { endToEndHeaders } from '../../router/request-headers.ts';
import { RequestBody } from './request-body.ts';
import { noOwner } from './transaction.ts';
import type { Transaction } from './transaction.ts';

const timings = new WeakMap<ServerResponse, string>();

/** The Server-Timing of a response, for the log of a development server. */
export function timingOf(res: ServerResponse): string | null {
  return timings.get(res) ?? null;
}

/** A request that node:http has parsed. */
export class NodeTransaction implements Transaction {
  readonly body: RequestBody;
  owner = noOwner;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  #idleMs = 0;
  /** Runs while the client takes nothing of a response. */
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(req: IncomingMessage, { res }: { res: ServerResponse }) {
    this.#req = req;
    this.#res = res;
    this.body = new RequestBody(req);
    res.once('close', () => {
      clearTimeout(this.#idleTimer);
      this.owner.onClosed();
    });
  }

  get method(): string {
    return this.#req.method!;
  }

  get keepAlive(): boolean {
    return this.#res.shouldKeepAlive;
  }

  get headSent(): boolean {
    return this.#res.headersSent;
  }

  headerLinesFor(requestId: string): string {
    return linesOf(endToEndHeaders(this.#req.rawHeaders, requestId));
  }

  invite(): void {
    if (this.#req.headers.expect !== undefined) sendContinue(this.#res);
  }

  problem(code: ErrorCode, options: ProblemOptions): void {
    // What is left of an upload is not read: the connection cannot be used again.
    if (!this.body.complete) this.#res.shouldKeepAlive = false;
    sendProblem(this.#res, code, options);
  }

  answer(status: number, headers: Readonly<Record<string, string>>): void {
    this.#res.writeHead(status, headers).end();
  }

  respond(reply: Reply): void {
    const content = this.#writeHead(reply);
    const { body } = reply;
    // node:http encodes the head like a string that goes with it: both are Latin-1.
    if (!(body instanceof Uint8Array)) this.#end(content);
    else if (body.length > httpLimits.streamWindowBytes) this.#endInPieces(body);
    else this.#end(body);
  }

  begin(reply: Reply): void {
    this.#writeHead(reply);
    // At once, and not with the first chunk: an SSE client waits for the head, and nothing may come for long.
    this.#res.flushHeaders();
  }

  write(bytes: Uint8Array, onTaken: () => void): void {
    this.#res.write(bytes, onTaken);
  }

  end(): void {
    this.#end('');
  }

  cut(): void {
    this.#res.destroy();
  }

  cutWhenIdle(ms: number): void {
    if (this.#res.destroyed) return;
    clearTimeout(this.#idleTimer);
    this.#idleMs = ms;
    this.#idleTimer = setTimeout(() => this.cut(), ms);
  }

  /** A connection that ends with this response must not do so under an upload: its sender would see no response. */
  #end(content: string | Uint8Array): void {
    const res = this.#res;
    if (!res.shouldKeepAlive && bodyBytesLeft(this.#req) > 0) endAfterUpload(res, content);
    else res.end(content, 'latin1');
  }

  /** Writes a large body piece by piece, and sees whenever some of it has left. */
  #endInPieces(body: Uint8Array): void {
    const res = this.#res;
    let at = 0;
    const more = (): void => {
      if (at > 0 && this.#idleMs > 0) this.cutWhenIdle(this.#idleMs);
      while (at < body.length && !res.destroyed) {
        const piece = body.subarray(at, at + httpLimits.streamWindowBytes);
        at += piece.length;
        if (at >= body.length) {
          this.#end(piece);
        } else if (!res.write(piece)) {
          res.once('drain', more);
          return;
        }
      }
    };
    more();
  }

  /** Returns the part of the body that came with the head. */
  #writeHead({ status, text }: Reply): string {
    const { reason, headerLines, content } = partsOf(text);
    const headers = flatOf(headerLines);
    const timing = headers.indexOf('server-timing');
    if (timing >= 0) timings.set(this.#res, headers[timing + 1]!);
    this.#res.writeHead(status, reason, headers);
    return content;
  }
}
