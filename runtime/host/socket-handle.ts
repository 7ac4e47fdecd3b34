import type { Socket } from 'node:net';

/** What node has of a socket and tells nobody. */
interface Handle {
  readStop(): number;
  /** Bytes of writes under way that the kernel has not taken; node looks at it when a socket times out. */
  writeQueueSize: number;
}

/** Null: it is closed. */
export const handleOf = (socket: Socket): Handle | null => (socket as unknown as { _handle: Handle | null })._handle;

/** Whether the kernel has everything that was written. */
export function isWritten(socket: Socket): boolean {
  const handle = handleOf(socket);
  return handle !== null && socket.writableLength === 0 && handle.writeQueueSize === 0;
}
