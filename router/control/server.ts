import { chmod, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { hostLimits, httpLimits } from '../../runtime/contract/limits.ts';

/** The control API's listener. */
export interface ControlServer {
  /** Stops listening: another server can. What is open goes on. */
  release(): void;
  /** Stops listening and cuts what is open. */
  close(): void;
}

/**
 * Serves `fetch` on the unix socket `path` with mode 0600. The home must be locked: a socket
 * file that is there already is a dead server's.
 */
export async function serveControl(
  path: string,
  fetch: (request: Request) => Response | Promise<Response>,
): Promise<ControlServer> {
  await rm(path, { force: true });
  const server = createAdaptorServer({
    fetch,
    overrideGlobalObjects: false,
    serverOptions: {
      maxHeaderSize: httpLimits.headBytes,
      headersTimeout: hostLimits.controlRequestMs,
      requestTimeout: hostLimits.controlRequestMs,
    },
  }) as Server;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  // bind() makes the file with the umask of that moment: nobody else can connect, not even for an instant.
  const before = process.umask(0o177);
  try {
    server.listen(path, resolve);
  } finally {
    process.umask(before);
  }
  await promise;
  await chmod(path, 0o600);
  return {
    // This removes the file too.
    release: () => void server.close(),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
