import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { deployLimits } from './contract/limits.ts';

/**
 * What node:net has below a server. Processes that have handles of the same socket take connections from one queue in
 * the kernel, which lives for as long as any of them is open. `send` passes a handle on as it is, without listening on
 * it (a `net.Server` would listen, and cannot stop without being closed): the cluster module is made of the same.
 */
export interface ListeningHandle {
  onconnection: ((status: number, client: unknown) => void) | null;
  /** 0, or the number of an error. */
  listen(backlog: number): number;
  close(): void;
}

type CreateHandle = (path: string, port: -1, addressType: -1) => ListeningHandle | number;

/** Binds a unix socket, without listening on it. */
export function bindSocket(path: string): ListeningHandle {
  // How cluster makes what its workers share.
  const { _createServerHandle: create } = net as unknown as { _createServerHandle: CreateHandle };
  const handle = create(path, -1, -1);
  if (typeof handle === 'number') throw new Error(`Cannot listen on ${path}: ${getSystemErrorName(handle)}`);
  return handle;
}

/** How connections are taken. */
export interface AcceptOptions {
  /** Nothing is read from them. */
  paused: boolean;
  /** Option of their sockets. @default their streams get what is read */
  onread?: net.OnReadOpts;
  onSocket: (socket: net.Socket) => void;
}

/**
 * Takes connections from now on, until the handle is closed. One each turn of the event loop, and no more: libuv
 * accepts no second one.
 */
export function acceptFrom(handle: ListeningHandle, { paused, onread, onSocket }: AcceptOptions): void {
  handle.onconnection = (status, client) => {
    // Out of file descriptors: this connection is lost, the socket goes on.
    if (status !== 0) return;
    const own = { handle: client, pauseOnCreate: paused, readable: true, writable: true, onread };
    onSocket(new net.Socket(own as net.SocketConstructorOpts));
  };
  const status = handle.listen(deployLimits.socketBacklog);
  if (status !== 0) throw new Error(`Cannot listen: ${getSystemErrorName(status)}`);
}
