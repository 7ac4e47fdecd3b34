import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { deployLimits } from '../runtime/contract/limits.ts';
import type { AppHost } from '../runtime/supervisor/app-host.ts';

/** An app's socket, held by the daemon. */
export interface AppListener {
  /** Takes no more connections and removes the socket. Idempotent. */
  close(): void;
}

/**
 * Listens on an app's unix socket and hands each connection over unread: the daemon never
 * parses a request, and holds connections while a host starts. The home must be locked:
 * a socket file that is there already is a dead server's.
 */
export async function listenForApp(
  path: string,
  host: Pick<AppHost, 'handle'>,
  onConnection: () => void = () => {},
): Promise<AppListener> {
  await rm(path, { force: true });
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    onConnection();
    host.handle(socket);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ path, backlog: deployLimits.socketBacklog }, resolve);
  await promise;
  server.off('error', reject);
  // Out of file descriptors: this connection is lost, the socket goes on.
  server.on('error', () => {});
  return { close: () => void server.close() };
}
