import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { httpLimits, hostLimits } from '../../runtime/contract/limits.ts';
import { problemOf } from '../../runtime/contract/errors.ts';

/**
 * Where connections go until the first build succeeds: while it runs they wait; when it failed
 * they are answered with what is wrong; when one succeeds they move on to the app.
 */
export interface WaitingRoom {
  /** Takes a connection accepted with `pauseOnConnect`. */
  handle(socket: Socket): void;
  /** Answers what waits, and all that comes, with 503 and this detail. */
  fail(detail: string): void;
  /** Holds what comes from now on: a new build runs. */
  hold(): void;
  /** Hands everything, now and from now on, to `handle`. */
  open(handle: (socket: Socket) => void): void;
  close(): void;
}

export function createWaitingRoom(): WaitingRoom {
  const waiting = new Set<Socket>();
  let detail: string | null = null;
  let next: ((socket: Socket) => void) | null = null;

  // Each answer ends its connection: the next request shall find the app, if it is there by then.
  const server = createServer(
    { keepAliveTimeout: 1, requestTimeout: httpLimits.requestTimeoutMs },
    (request, response) => {
      const problem = problemOf('FN_LOAD_FAILED', { detail: detail ?? 'The first build still runs' });
      request.resume();
      response.writeHead(503, {
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        'retry-after': String(httpLimits.retryAfterSeconds),
        connection: 'close',
      });
      response.end(`${JSON.stringify(problem, null, 2)}\n`);
    },
  );
  // A server that never listens runs no timeouts for headers and requests until it believes that it does.
  server.emit('listening');

  const answer = (socket: Socket): void => {
    server.emit('connection', socket);
    socket.resume();
  };
  const release = (to: (socket: Socket) => void): void => {
    for (const socket of waiting) to(socket);
    waiting.clear();
  };

  return {
    handle(socket) {
      if (next !== null) next(socket);
      else if (detail !== null || waiting.size >= hostLimits.heldConnections) answer(socket);
      else {
        waiting.add(socket);
        socket.once('close', () => waiting.delete(socket));
      }
    },
    fail(text) {
      detail = text;
      release(answer);
    },
    hold() {
      detail = null;
    },
    open(handle) {
      next = handle;
      release(handle);
    },
    close() {
      release((socket) => socket.destroy());
      server.close();
      server.closeAllConnections();
    },
  };
}
