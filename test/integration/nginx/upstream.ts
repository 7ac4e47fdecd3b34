import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';

/** A plain HTTP server on the socket of an app, which counts what nginx does to it. */
export interface Upstream extends AsyncDisposable {
  connections: number;
  readonly requests: IncomingMessage[];
}

/** Listens at `<dir>/run/<app>.sock`. */
export async function startUpstream(
  dir: string,
  app: string,
  answer: (req: IncomingMessage, res: ServerResponse) => void,
): Promise<Upstream> {
  await mkdir(join(dir, 'run'), { recursive: true });
  const requests: IncomingMessage[] = [];
  const server = createServer({ keepAliveTimeout: 75_000, maxHeaderSize: 64 * 1024 }, (req, res) => {
    requests.push(req);
    answer(req, res);
  });
  const upstream: Upstream = {
    connections: 0,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  server.on('connection', () => upstream.connections++);
  server.listen(join(dir, 'run', `${app}.sock`));
  await once(server, 'listening');
  return upstream;
}
