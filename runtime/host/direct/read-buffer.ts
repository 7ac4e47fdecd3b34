import type { Socket } from 'node:net';

/** Takes what was read from its socket, the first `length` bytes. They are overwritten when it returns. */
type Reader = (bytes: Buffer, length: number) => void;

/** As much as libuv reads at once. */
const buffer = Buffer.allocUnsafeSlow(64 * 1024);
const readers = new WeakMap<Socket, Reader>();

/**
 * Option `onread` of sockets: all of a process are read into one buffer, which spares each read an allocation of 64 KiB,
 * and the stream its queue. While a socket has no reader its bytes are copied into its stream as usual.
 */
export const readIntoOne = {
  buffer,
  callback(this: Socket, length: number, into: Buffer): boolean {
    const reader = readers.get(this);
    if (reader === undefined) return this.push(Buffer.from(into.subarray(0, length)));
    reader(into, length);
    return true;
  },
};

/** Has `reader` take what is read from a socket made with `readIntoOne`; null: its stream does again. */
export function setReader(socket: Socket, reader: Reader | null): void {
  if (reader === null) readers.delete(socket);
  else readers.set(socket, reader);
}
