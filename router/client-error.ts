import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { problemOf } from '../runtime/contract/errors.ts';
import type { ErrorCode } from '../runtime/contract/errors.ts';
import { httpLimits } from '../runtime/contract/limits.ts';
import { requestIdOf } from './request-id.ts';

/**
 * Answers a request that Node's parser refused (`clientError` of an http.Server): there is no response object
 * for it. 431 for a head that is too large, 408 for one that did not come in time, else 400; the connection ends.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  // A response under way would be taken for ending in this one.
  const underWay = (socket as { _httpMessage?: { headersSent: boolean } | null })._httpMessage?.headersSent === true;
  if (underWay || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') endWithProblem(socket, 'FN_REQUEST_TIMEOUT');
  else if (error.code === 'HPE_HEADER_OVERFLOW') endWithProblem(socket, 'FN_BAD_REQUEST', tooLarge);
  else endWithProblem(socket, 'FN_BAD_REQUEST', { detail: 'The request is not well-formed HTTP' });
}

const tooLarge = { status: 431, detail: `The request head has more than ${httpLimits.headBytes} bytes` };

/** What a problem on a bare socket says beside its code. */
export interface BareProblemOptions {
  detail?: string;
  /** @default a new one */
  requestId?: string;
  /** @default the code's own */
  status?: number;
}

/** Writes a whole problem response onto a bare socket, and ends it; 503 with Retry-After. */
export function endWithProblem(socket: Duplex, code: ErrorCode, options: BareProblemOptions = {}): void {
  const { detail, requestId = requestIdOf(undefined) } = options;
  const problem = problemOf(code, { ...(detail !== undefined && { detail }), requestId });
  problem.status = options.status ?? problem.status;
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    `x-request-id: ${requestId}`,
    ...(problem.status === 503 ? [`retry-after: ${httpLimits.retryAfterSeconds}`] : []),
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
