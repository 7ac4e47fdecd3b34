import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** How long connections may last when the server stops. */
export interface ConnectionsOptions {
  /** Those that carry requests. */
  drainMs: number;
  /** WebSockets, once the others have ended. */
  closeMs: number;
}

/** The connections of an HTTP server: those that carry requests, and those that have become WebSockets. */
export interface Connections {
  /** This one is a WebSocket from now on. */
  upgraded(socket: Socket): void;
  readonly draining: boolean;
  /** Takes no new one and ends those that carry requests, idle ones at once, others with their request. Idempotent. */
  drain(): Promise<void>;
  /** Drains, then waits for the WebSockets to end, and cuts those that do not. Idempotent. */
  end(): Promise<void>;
}

/** Follows the connections of `server`, which does not listen yet. */
export function trackConnections(server: Server, { drainMs, closeMs }: ConnectionsOptions): Connections {
  const requests = new Set<Socket>();
  const sockets = new Set<Socket>();
  let drained: Promise<void> | null = null;
  let ended: Promise<void> | null = null;
  let onLeft = (): void => {};
  server.on('connection', (socket: Socket) => {
    requests.add(socket);
    socket.once('close', () => {
      requests.delete(socket);
      sockets.delete(socket);
      onLeft();
    });
  });

  const allGone = async (set: Set<Socket>, { limitMs }: { limitMs: number }): Promise<void> => {
    const deadline = setTimeout(() => {
      for (const socket of set) socket.destroy();
    }, limitMs);
    await new Promise<void>((resolve) => {
      onLeft = () => set.size === 0 && resolve();
      onLeft();
    });
    clearTimeout(deadline);
  };
  const drain = async (): Promise<void> => {
    // Its callback would wait for the WebSockets too.
    server.close();
    await allGone(requests, { limitMs: drainMs });
  };
  const end = async (): Promise<void> => {
    await (drained ??= drain());
    await allGone(sockets, { limitMs: closeMs });
  };

  return {
    upgraded(socket) {
      requests.delete(socket);
      sockets.add(socket);
      onLeft();
    },
    get draining() {
      return drained !== null;
    },
    drain: () => (drained ??= drain()),
    end: () => (ended ??= end()),
  };
}
