import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A TCP proxy that can stop forwarding without closing anything, as a network that drops packets does. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Accepts and keeps everything, and forwards nothing from now on. */
  stall(): void;
  resume(): void;
  /** Connections it has now. */
  readonly open: number;
}

/** Forwards to `port` on 127.0.0.1. */
export async function startTcpProxy(port: number): Promise<TcpProxy> {
  const pairs = new Map<Socket, Socket>();
  let stalled = false;
  const flow = (socket: Socket): void => {
    if (stalled) socket.pause();
    else socket.resume();
  };
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    pairs.set(client, upstream);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('data', (chunk) => to.write(chunk));
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        if (from === client) pairs.delete(client);
      });
      flow(from);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const setFlow = (on: boolean): void => {
    stalled = !on;
    for (const [client, upstream] of pairs) {
      flow(client);
      flow(upstream);
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    stall: () => setFlow(false),
    resume: () => setFlow(true),
    get open() {
      return pairs.size;
    },
    async [Symbol.asyncDispose]() {
      for (const [client, upstream] of pairs) {
        client.destroy();
        upstream.destroy();
      }
      server.close();
      await once(server, 'close');
    },
  };
}
