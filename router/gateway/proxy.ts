import { createProxyServer } from 'httpxy';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { gatewayLimits } from '../../runtime/contract/limits.ts';
import { endWithProblem } from '../client-error.ts';
import { watchClient } from '../client-watch.ts';
import { codeOf } from './failures.ts';
import { Exchange } from './exchange.ts';
import { forwardedHeaders, headersByName } from './forwarded-headers.ts';
import { Upstreams } from './upstreams.ts';

/** Where a request goes, and what goes with it. */
export interface Destination {
  socketPath: string;
  requestId: string;
  host: string;
  /** The request target in origin form. */
  url: string;
}

/** What a proxy is made of. */
export interface ProxyOptions {
  /** Whether the client's connection may carry another request; asked when the response begins. */
  keepAlive: (res: ServerResponse) => boolean;
  /** Time without a byte after which a WebSocket is given up. */
  socketIdleMs: number;
  /** Time without a byte after which a request is given up, and time in which a client takes none of its response. */
  idleMs: number;
}

/** Carries requests and WebSockets to unix sockets. */
export interface Proxy {
  forward(req: IncomingMessage, res: ServerResponse, to: Destination): void;
  upgrade(req: IncomingMessage, socket: Socket, options: { head: Buffer; to: Destination }): void;
  close(): void;
}

interface Passage {
  requestId: string;
  upgraded: boolean;
}

/**
 * Requests go over undici (exchange.ts): over node:http's client, which is httpxy's, they cost twice as much. WebSockets
 * go over httpxy, a maintained fork of node-http-proxy, which leaves headers, errors and ends to us.
 */
export function createProxy({ keepAlive, socketIdleMs, idleMs }: ProxyOptions): Proxy {
  const upstreams = new Upstreams({ idleMs });
  const options = { upstreams, keepAlive, stallMs: idleMs };
  const proxy = createProxyServer({ upgradeTimeout: gatewayLimits.upgradeMs });
  const passages = new WeakMap<IncomingMessage, Passage>();

  proxy.on('proxyReqWs', (proxyReq, req, socket) => {
    const passage = passages.get(req);
    const onUpgrade = (): void => {
      if (passage !== undefined) passage.upgraded = true;
    };
    joinSockets(proxyReq, socket, { socketIdleMs, onUpgrade });
  });
  proxy.on('error', (error: NodeJS.ErrnoException, req, res) => {
    const passage = req && passages.get(req);
    if (passage !== undefined && res instanceof Socket) failUpgrade(res, { error, passage });
  });

  return {
    forward(req, res, to) {
      new Exchange(req, res, to, options).start();
    },
    upgrade(req, socket, { head, to }) {
      passages.set(req, { requestId: to.requestId, upgraded: false });
      const headers = headersByName(forwardedHeaders(req, to)) as Record<string, string>;
      req.url = to.url;
      // From here on httpxy reads these in place of the client's, and copies them.
      req.headers = { host: to.host, connection: 'Upgrade', upgrade: 'websocket' };
      const target = { socketPath: to.socketPath };
      proxy.ws(req, socket, { target, agent: false, headers }, head).catch(() => socket.destroy());
    },
    close() {
      upstreams.close();
    },
  };
}

/** Ends either side of a WebSocket with the other, and both when nothing passes. */
function joinSockets(
  proxyReq: ClientRequest,
  socket: Socket,
  { socketIdleMs, onUpgrade }: { socketIdleMs: number; onUpgrade: () => void },
): void {
  socket.once('close', () => proxyReq.destroy());
  const unwatch = watchClient(socket, () => socket.destroy());
  proxyReq.once('upgrade', (_res, upstream: Socket) => {
    unwatch();
    onUpgrade();
    // What passes in either direction counts for both.
    socket.setTimeout(socketIdleMs, () => socket.destroy());
    // A side that vanishes without an end would leave the other one open for ever.
    socket.once('close', () => upstream.destroySoon());
    upstream.once('close', () => socket.destroySoon());
  });
}

interface Failure {
  error: NodeJS.ErrnoException;
  passage: Passage;
}

function failUpgrade(socket: Socket, { error, passage }: Failure): void {
  if (passage.upgraded) socket.destroy();
  else endWithProblem(socket, codeOf(error), { requestId: passage.requestId });
}
