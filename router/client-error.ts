import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
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
  if (isAnswered(socket)) return;
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const response = (socket as { _httpMessage?: ServerResponse | null })._httpMessage;
  if (response?.req.complete === true) {
    // What is wrong came behind this request, which keeps its answer: theirs come in the order of their requests.
    if (!waiting.has(socket)) {
      waiting.add(socket);
      response.once('close', () =>
        setImmediate(() => {
          waiting.delete(socket);
          answerClientError(error, socket);
        }),
      );
    }
    return;
  }
  if (response?.headersSent === true) {
    // A second answer would be taken for a part of the one under way. That one is all there is.
    endSoon(socket);
    return;
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') endWithProblem(socket, 'FN_REQUEST_TIMEOUT');
  else if (error.code === 'HPE_HEADER_OVERFLOW') endWithProblem(socket, 'FN_BAD_REQUEST', tooLarge);
  else endWithProblem(socket, 'FN_BAD_REQUEST', { detail: 'The request is not well-formed HTTP' });
}

/** Connections that have their last answer and end soon: what still comes on them is for nobody. */
const answered = new WeakSet<Duplex>();

/** Requests that were answered before their body had come, by their connections. */
const lingering = new WeakMap<Duplex, IncomingMessage>();

/** Whether a connection has its last answer: a request that comes on it is not to be handled. */
export function isAnswered(socket: Duplex): boolean {
  // A request is complete before the next one is read, which may come in the same bytes as its end.
  return answered.has(socket) || lingering.get(socket)?.complete === false;
}

/**
 * Has node:http, which closes a connection at once when its last response has left, end it as `endSoon` does: a client may have
 * sent its next request already.
 */
export function endInOrder(socket: Socket): void {
  answered.add(socket);
  socket.destroySoon = () => endSoon(socket);
}
const waiting = new WeakSet<Duplex>();

/**
 * Ends the connection of a request that was answered before its body had come, unless that comes soon: nobody
 * else reads it, and what its client sends next would be taken for a part of it.
 */
export function lingerFor(req: IncomingMessage): void {
  const { socket } = req;
  if (req.complete || socket.destroyed || isAnswered(socket)) return;
  lingering.set(socket, req);
  const timer = setTimeout(() => socket.destroy(), httpLimits.lingerMs);
  const stop = (): void => clearTimeout(timer);
  socket.once('close', stop);
  req.once('end', () => {
    stop();
    socket.off('close', stop);
  });
  req.resume();
}

/**
 * Ends our side, and the connection when the client has done so too or had time to: with unread bytes in
 * it, it would be reset, and the answer lost.
 */
function endSoon(socket: Duplex, lastWords = ''): void {
  answered.add(socket);
  socket.end(lastWords);
  const timer = setTimeout(() => socket.destroy(), httpLimits.lingerMs);
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
}

const tooLarge = { status: 431, detail: `The request head has more than ${httpLimits.headBytes} bytes` };

/** What a problem on a bare socket says beside its code. */
export interface BareProblemOptions {
  detail?: string;
  /** @default a new one */
  requestId?: string;
  /** @default the code's own */
  status?: number;
  headers?: Record<string, string>;
  /** Value of Retry-After in a 503. @default httpLimits.retryAfterSeconds */
  retryAfterSeconds?: number;
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
    ...(problem.status === 503 ? [`retry-after: ${options.retryAfterSeconds ?? httpLimits.retryAfterSeconds}`] : []),
    ...Object.entries(options.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ];
  endSoon(socket, `${head.join('\r\n')}\r\n\r\n${body}`);
}
