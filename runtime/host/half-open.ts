import type { Socket } from 'node:net';
import { httpLimits } from '../contract/limits.ts';

const noBytes = Buffer.alloc(0);

/**
 * Lets the client of a unix socket end its own side and still get its answer. Over TCP one that does so cannot be told
 * from one that has gone, which is by far the more frequent case: there Node closes the connection.
 */
export function allowHalfOpen(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.allowHalfOpen = true;
}

/**
 * Destroys a unix socket, whose client has ended its side, when the client has closed the other one too: writing fails
 * then, even of nothing. Nobody tells us when that happens later, since there is nothing to read any more.
 */
export function destroyWhenGone(socket: Socket): void {
  if (!socket.allowHalfOpen || !socket.writable) return;
  // What waits to be written will fail by itself.
  const ask = (): void => void (socket.writableLength === 0 && socket.write(noBytes));
  ask();
  const timer = setInterval(ask, httpLimits.halfOpenCheckMs);
  socket.once('close', () => clearInterval(timer));
}
