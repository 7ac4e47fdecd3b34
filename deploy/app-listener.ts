import { chmod } from 'node:fs/promises';
import type { AppHost } from '../runtime/supervisor/app-host.ts';
import { SharedSocket } from '../runtime/supervisor/shared-socket.ts';

/** An app's socket. */
export interface AppListener {
  /** Removes the socket: nobody can connect from here on. The host ends what waits in it, when it stops. Idempotent. */
  close(): void;
  /** Whether another server's socket has its path. */
  readonly isReplaced: boolean;
}

/**
 * Listens on an app's unix socket. The app's host takes the connections itself while a process of it runs; those that the
 * daemon has to accept are handed over unread: it never parses a request. The home must be locked: a socket file that is
 * there already is a dead server's.
 */
export async function listenForApp(
  path: string,
  host: Pick<AppHost, 'handle' | 'share'>,
  /** Called when somebody has used the app: when a connection comes that wakes it, and when its process ends. */
  onUse: () => void = () => {},
): Promise<AppListener> {
  const socket = await SharedSocket.open(path, {
    onSocket(connection) {
      onUse();
      host.handle(connection);
    },
    onBack: onUse,
  });
  host.share(socket);
  // Who connects needs to write: nginx belongs to the group of the server.
  await chmod(path, 0o660);
  return {
    close: () => socket.unlink(),
    get isReplaced() {
      return socket.isReplaced;
    },
  };
}
