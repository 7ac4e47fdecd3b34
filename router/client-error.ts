import type { Duplex } from 'node:stream';
import { problemOf } from '../runtime/contract/errors.ts';
import type { ErrorCode } from '../runtime/contract/errors.ts';

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
  else if (error.code === 'HPE_HEADER_OVERFLOW')
    socket.end('HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  else endWithProblem(socket, 'FN_BAD_REQUEST', { detail: 'The request is not well-formed HTTP' });
}

/** Writes a whole problem response onto a bare socket, and ends it. */
export function endWithProblem(
  socket: Duplex,
  code: ErrorCode,
  extra: { detail?: string; requestId?: string } = {},
): void {
  const problem = problemOf(code, extra);
  const body = JSON.stringify(problem);
  const requestId = extra.requestId === undefined ? '' : `x-request-id: ${extra.requestId}\r\n`;
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\ncache-control: no-store\r\n${requestId}connection: close\r\n\r\n${body}`,
  );
}
