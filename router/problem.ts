import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { problemOf } from '../runtime/contract/errors.ts';
import type { ErrorCode } from '../runtime/contract/errors.ts';
import { httpLimits } from '../runtime/contract/limits.ts';
import { endInOrder } from './client-error.ts';
import { isHeld } from './continue.ts';

/** What a problem response says beside its code. */
export interface ProblemOptions {
  /** One sentence for the caller. Nothing of the user's code or data. */
  detail?: string;
  /** Goes into the document and the `x-request-id` header. */
  requestId?: string;
  /** @default the code's own */
  status?: number;
  /** Further headers; they win over the problem's own. */
  headers?: OutgoingHttpHeaders;
  /** Stack of the user's code; only under `fnrun dev`. */
  stack?: string;
}

/**
 * Sends `code` as application/problem+json (RFC 9457), to HEAD without the body; 503 with Retry-After.
 * A client that is still sending its body gets the answer at once; the end of the connection, if need be, later.
 * When the response's head has gone out already, the connection is cut instead: the client must not
 * take a broken body for a whole one.
 */
export function sendProblem(res: ServerResponse, code: ErrorCode, options: ProblemOptions = {}): void {
  if (res.headersSent || res.writableEnded) {
    if (!res.writableFinished) res.destroy();
    return;
  }
  const { status, headers, content } = problemResponse(code, options);
  const left = isHeld(res) ? 0 : bodyBytesLeft(res.req);
  // A long upload is better ended with its connection than read to its end for nothing.
  if (left > httpLimits.inlineBodyBytes) res.shouldKeepAlive = false;
  res.writeHead(status, headers);
  const sent = res.req.method === 'HEAD' ? undefined : content;
  if (left > 0) endAfterUpload(res, sent === undefined ? undefined : Buffer.from(sent));
  else res.end(sent);
}

/** The response of a problem: its document, and headers that fit it. */
export function problemResponse(
  code: ErrorCode,
  { detail, requestId, status, headers, stack }: ProblemOptions,
): { status: number; headers: OutgoingHttpHeaders; content: string } {
  const problem = problemOf(code, {
    ...(detail === undefined ? {} : { detail }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(stack === undefined ? {} : { stack }),
  });
  problem.status = status ?? problem.status;
  const content = JSON.stringify(problem);
  return {
    status: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      'content-length': Buffer.byteLength(content),
      'cache-control': 'no-store',
      ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
      ...(problem.status === 503 ? { 'retry-after': String(httpLimits.retryAfterSeconds) } : {}),
      ...headers,
    },
    content,
  };
}

/**
 * Sends the whole answer but ends it only when the client has sent its body too, or had time to notice: closing
 * a socket with unread data resets it, and the client would see the reset in place of the answer.
 */
export function endAfterUpload(res: ServerResponse, content: string | Uint8Array | undefined): void {
  const { req } = res;
  if (content === undefined || content.length === 0) res.flushHeaders();
  else res.write(content, 'latin1');
  if (!res.shouldKeepAlive) endInOrder(req.socket);
  const end = (): void => {
    clearTimeout(deadline);
    res.end();
  };
  const deadline = setTimeout(() => {
    res.shouldKeepAlive = false;
    res.end(() => req.destroy());
  }, httpLimits.lingerMs);
  req.once('end', end).once('close', end);
  // What still comes is for nobody.
  req.removeAllListeners('data').resume();
}

/** Upper bound of what is still to come. `complete` alone is false for a request without body until its handler returns. */
export function bodyBytesLeft(req: IncomingMessage): number {
  if (req.complete) return 0;
  if (req.headers['transfer-encoding'] !== undefined) return Infinity;
  return Number(req.headers['content-length'] ?? 0);
}
