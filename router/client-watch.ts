import type { Socket } from 'node:net';

/**
 * Calls `onGone` once when the client leaves, on a socket that nobody reads. Returns what ends the watch, before
 * which the socket must not be given to another reader. Bytes that come meanwhile stay in the socket.
 */
export function watchClient(socket: Socket, onGone: () => void): () => void {
  const look = (): void => {
    // An end is only told to who reads it; with bytes before it, it waits for them.
    if (socket.readableLength === 0) socket.read();
  };
  const stop = (): void => {
    socket.off('readable', look).off('end', gone).off('close', gone);
  };
  const gone = (): void => {
    stop();
    onGone();
  };
  socket.on('readable', look).on('end', gone).on('close', gone);
  return stop;
}
