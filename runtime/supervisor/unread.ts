import type { Socket } from 'node:net';

/** Node begins to read from a connection that it is sent; what arrives is for whoever it is passed to next. */
export function unread(socket: Socket): Socket {
  (socket as unknown as { _handle: { readStop(): void } | null })._handle?.readStop();
  return socket;
}
