import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { problemOf } from '../runtime/contract/errors.ts';
import type { ErrorCode } from '../runtime/contract/errors.ts';
import { httpLimits } from '../runtime/contract/limits.ts';

/** What a problem response says beside its code. */
export interface ProblemOptions {
  /** One sentence for the caller. Nothing of the user's code or data. */
  detail?: string;
  /** Goes into the document and the `x-request-id` header. */
  requestId?: string;
  /** Further headers; they win over the problem's own. */
  headers?: OutgoingHttpHeaders;
  /** Stack of the user's code; only under `fnrun dev`. */
  stack?: string;
}

/**
 * Sends `code` as application/problem+json (RFC 9457), to HEAD without the body; 503 with Retry-After.
 * When the response's head has gone out already, the connection is cut instead: the client must not
 * take a broken body for a whole one.
 */
export function sendProblem(res: ServerResponse, code: ErrorCode, options: ProblemOptions = {}): void {
  if (res.headersSent || res.writableEnded) {
    if (!res.writableFinished) res.destroy();
    return;
  }
  const { detail, requestId, headers, stack } = options;
  const problem = problemOf(code, {
    ...(detail === undefined ? {} : { detail }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(stack === undefined ? {} : { stack }),
  });
  const body = JSON.stringify(problem);
  res.writeHead(problem.status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
    ...(problem.status === 503 ? { 'retry-after': String(httpLimits.retryAfterSeconds) } : {}),
    ...headers,
  });
  res.end(res.req.method === 'HEAD' ? undefined : body);
}
