import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { FnrunError } from '../../runtime/contract/errors.ts';

/** A TCP listener whose connections are passed on before anything is read from them. */
export interface Listener {
  /** For example `http://127.0.0.1:3000`. */
  url: string;
  /** Takes no new connection; those passed on live as long as their host wants. */
  close(): void;
}

/** Listens on `host:port`. Throws FN_PORT_IN_USE when the port is taken. */
export async function listen(
  handle: (socket: Socket) => void,
  { host, port }: { host: string; port: number },
): Promise<Listener> {
  const server = createServer({ pauseOnConnect: true, noDelay: true }, handle);
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error, { host, port });
  }
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    // The server's own 'close' event would wait for connections that are the host's by now.
    close: () => void server.close(),
  };
}

function listenError(error: unknown, { host, port }: { host: string; port: number }): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'EADDRINUSE') {
    return new FnrunError('FN_PORT_IN_USE', `Cannot listen on ${host}:${port}: the port is taken`, {
      cause: error,
      hint: `take another: --port ${port + 1}, or --port 0 for any`,
    });
  }
  if (code === 'EACCES') {
    return new FnrunError('FN_PORT_IN_USE', `Cannot listen on ${host}:${port}: the port is reserved for root`, {
      cause: error,
      hint: 'take one from 1024 up, for example --port 3000',
    });
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new FnrunError('FN_USAGE', `Cannot listen on ${host}: it is no address of this machine`, { cause: error });
  }
  return error;
}
