import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { answerClientError, endWithProblem, isAnswered } from './client-error.ts';
import { everyMethod } from './methods.ts';
import { sendProblem } from './problem.ts';
import type { ProblemOptions } from './problem.ts';
import { requestIdOf } from './request-id.ts';

/**
 * Has a server answer, with problem documents, what Node itself would answer with a bare status or a closed
 * connection: bytes that are no request, CONNECT, and expectations other than `100-continue`.
 */
export function guardServer(server: Server): void {
  server.on('clientError', answerClientError);
  server.on('connect', refuseConnect);
  server.on('checkExpectation', refuseExpectation);
}

/** Connections on which a request was refused that could be read in two ways. */
const distrusted = new WeakSet<Socket>();

/**
 * Answers 400 and ends the connection. Requests that came right behind are not to be handled (`isDistrusted`):
 * who knows where they begin.
 */
export function refuseRequest(req: IncomingMessage, res: ServerResponse, options: ProblemOptions): void {
  distrusted.add(req.socket);
  res.shouldKeepAlive = false;
  sendProblem(res, 'FN_BAD_REQUEST', options);
}

/** Whether this connection ends with an answer to an earlier request; there is nothing to answer. */
export function isDistrusted(req: IncomingMessage): boolean {
  return distrusted.has(req.socket) || isAnswered(req.socket);
}

/** Nothing here is a tunnel. Behind a CONNECT there is no next request: the connection ends. */
function refuseConnect(req: IncomingMessage, stream: Duplex): void {
  const socket = stream as Socket;
  socket.on('error', () => socket.destroy());
  endWithProblem(socket, 'FN_METHOD_NOT_ALLOWED', {
    detail: 'CONNECT is not answered here',
    requestId: requestIdOf(req.headers['x-request-id']),
    headers: { allow: everyMethod },
  });
}

function refuseExpectation(req: IncomingMessage, res: ServerResponse): void {
  refuseRequest(req, res, {
    status: 417,
    detail: 'The Expect header holds something else than 100-continue',
    requestId: requestIdOf(req.headers['x-request-id']),
  });
}
