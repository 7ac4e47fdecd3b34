import type { Socket } from 'node:net';
import { endWithProblem } from '../../router/client-error.ts';

/** Answers a connection that reaches no host with 503, as far as that can be done without reading it. */
export function refuse(socket: Socket, { detail, retryAfterMs = 0 }: { detail: string; retryAfterMs?: number }): void {
  // Closing with unread bytes would reset the connection under the answer.
  socket.resume();
  endWithProblem(socket, 'FN_APP_UNAVAILABLE', {
    detail,
    retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)),
  });
}
