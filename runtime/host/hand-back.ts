import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { hostLimits } from '../contract/limits.ts';
import { handleOf, isWritten } from './socket-handle.ts';

/** What connections are taken from, and where they go. */
export interface HandBackOptions {
  server: Server;
  /** The open connections; what is given back is removed. */
  sockets: Set<Socket>;
  /** Takes a connection that nothing is read from any more. */
  give: (socket: Socket) => void;
}

/**
 * Gives connections back between two of their requests, so that another process serves the next one and no
 * client notices. Resolves when none is left: those that carry a request are given back after its response.
 */
export async function handBack({ server, sockets, give }: HandBackOptions): Promise<void> {
  const wrapped = new WeakSet<Socket>();
  let idle: Socket[] | null = null;
  const sweep = (): void => {
    for (const socket of sockets) {
      if (wrapped.has(socket)) continue;
      wrapped.add(socket);
      // Node knows which connections are between two requests with no byte of the next one read. It tells
      // by closing them: the one way that is public.
      const destroy = socket.destroy.bind(socket);
      socket.destroy = (error) => {
        if (idle === null) return destroy(error);
        idle.push(socket);
        return socket;
      };
    }
    idle = [];
    server.closeIdleConnections();
    const found = idle;
    idle = null;
    for (const socket of found.filter(isWritten)) {
      sockets.delete(socket);
      stopReading(socket);
      give(socket);
    }
  };
  let planned = false;
  const soon = (): void => {
    if (planned) return;
    planned = true;
    setImmediate(() => {
      planned = false;
      sweep();
    });
  };
  server.on('request', (_request, response) => response.once('close', soon));
  sweep();
  // Responses that were under way before, and connections that close by themselves.
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      sweep();
      if (sockets.size > 0) return;
      clearInterval(timer);
      resolve();
    }, hostLimits.drainSweepMs);
  });
}

/** Gives away a connection that nobody listens to any more, once the kernel has all that was written to it. */
export function giveWhenWritten(socket: Socket, give: (socket: Socket) => void): void {
  stopReading(socket);
  if (isWritten(socket)) give(socket);
  // Written in turn: called when everything before it is.
  else socket.write(Buffer.alloc(0), (error) => error == null && give(socket));
}

/** What arrives from here on stays in the kernel, for the process that gets the connection. */
function stopReading(socket: Socket): void {
  handleOf(socket)?.readStop();
}
