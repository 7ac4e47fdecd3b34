import { createProxyServer } from 'httpxy';
import { Agent, maxHeaderSize } from 'node:http';
import type { ClientRequest, IncomingMessage, InformationEvent, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { ErrorCode } from '../../runtime/contract/errors.ts';
import { gatewayLimits } from '../../runtime/contract/limits.ts';
import { endWithProblem } from '../client-error.ts';
import { watchClient } from '../client-watch.ts';
import { sendProblem } from '../problem.ts';
import { forwardedHeaders, framingHeaders, stripHopByHop } from './forwarded-headers.ts';

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
}

/** Carries requests and WebSockets to unix sockets. */
export interface Proxy {
  forward(req: IncomingMessage, res: ServerResponse, to: Destination): void;
  upgrade(req: IncomingMessage, socket: Socket, options: { head: Buffer; to: Destination }): void;
  close(): void;
}

interface Passage {
  socketPath: string;
  requestId: string;
  headers: Record<string, string>;
  proxyReq: ClientRequest | null;
  /** The client has been asked for its body, and the app may yet refuse it. */
  expects: boolean;
  retried: boolean;
  timedOut: boolean;
  upgraded: boolean;
}

/**
 * The proxy over httpxy, a maintained fork of node-http-proxy. What the fork leaves to us: headers (see
 * forwarded-headers.ts), 1xx, the head of a response whose body is late, errors, and one retry.
 */
export function createProxy({ keepAlive, socketIdleMs }: ProxyOptions): Proxy {
  const agent = new Agent({ keepAlive: true, timeout: gatewayLimits.freeSocketMs });
  const proxy = createProxyServer({
    proxyTimeout: gatewayLimits.upstreamIdleMs,
    upgradeTimeout: gatewayLimits.upgradeMs,
  });
  const passages = new WeakMap<IncomingMessage, Passage>();

  const begin = (req: IncomingMessage, to: Destination): Passage => {
    const passage = passageOf(req, to);
    passages.set(req, passage);
    req.url = to.url;
    return passage;
  };
  const send = (req: IncomingMessage, res: ServerResponse, { socketPath, headers, retried }: Passage): void => {
    // What ended one kept connection has ended all of them: the second time goes on a new one.
    proxy.web(req, res, { target: { socketPath }, agent: retried ? false : agent, headers }).catch(() => res.destroy());
  };

  proxy.on('proxyReq', (proxyReq, req, res) => {
    const passage = passages.get(req);
    if (passage === undefined) return;
    passage.proxyReq = proxyReq;
    proxyReq.once('timeout', () => (passage.timedOut = true));
    proxyReq.on('information', (info) => passOnEarlyHints(info, res));
    if (passage.expects) setImmediate(() => flushRequest(proxyReq));
  });
  proxy.on('proxyRes', (proxyRes, req, res) => {
    const { upgrade } = proxyRes.headers;
    stripHopByHop(proxyRes.headers);
    // httpxy gives the response the Connection header of the request.
    req.headers.connection = keepAlive(res) ? 'keep-alive' : 'close';
    if (proxyRes.statusCode === 426 && upgrade !== undefined) {
      // What the app asks for can be had here.
      proxyRes.headers.upgrade = upgrade;
      req.headers.connection += ', upgrade';
    }
    // Headers go out with the first bytes of the body; an event stream may have none for long.
    if (proxyRes.headers['content-length'] === undefined) setImmediate(() => flushHead(res));
  });
  proxy.on('proxyReqWs', (proxyReq, req, socket) => {
    const onUpgrade = (): void => {
      const passage = passages.get(req);
      if (passage !== undefined) passage.upgraded = true;
    };
    joinSockets(proxyReq, socket, { socketIdleMs, onUpgrade });
  });
  proxy.on('error', (error: NodeJS.ErrnoException, req, res) => {
    const passage = req && passages.get(req);
    if (req === undefined || res === undefined || passage === undefined) return;
    if (res instanceof Socket) {
      failUpgrade(res, { error, passage });
    } else if (mayRetry(req, res, { error, passage })) {
      passage.retried = true;
      send(req, res, passage);
    } else {
      fail(res, { error, passage });
    }
  });

  return {
    forward(req, res, to) {
      const passage = begin(req, to);
      passage.headers['connection'] = 'keep-alive';
      // From here on httpxy reads these in place of the client's, and copies them.
      req.headers = framingHeaders(req, to.host);
      send(req, res, passage);
    },
    upgrade(req, socket, { head, to }) {
      const { socketPath, headers } = begin(req, to);
      req.headers = { host: to.host, connection: 'Upgrade', upgrade: 'websocket' };
      proxy.ws(req, socket, { target: { socketPath }, agent: false, headers }, head).catch(() => socket.destroy());
    },
    close() {
      agent.destroy();
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

function passageOf(req: IncomingMessage, to: Destination): Passage {
  const { socketPath, requestId } = to;
  // The types of httpxy know one value per header only; it passes on what http.request takes.
  const headers = forwardedHeaders(req, to) as Record<string, string>;
  return {
    socketPath,
    requestId,
    headers,
    proxyReq: null,
    expects: req.headers.expect !== undefined,
    retried: false,
    timedOut: false,
    upgraded: false,
  };
}

interface Failure {
  error: NodeJS.ErrnoException;
  passage: Passage;
}

function fail(res: ServerResponse, { error, passage }: Failure): void {
  const detail = `The head of the app's response has more than ${maxHeaderSize} bytes`;
  sendProblem(res, codeOf(error, passage), {
    requestId: passage.requestId,
    ...(error.code === headOverflow && { detail }),
  });
}

function failUpgrade(socket: Socket, { error, passage }: Failure): void {
  if (passage.upgraded) socket.destroy();
  else endWithProblem(socket, codeOf(error, passage), { requestId: passage.requestId });
}

/** A kept connection may end just as a request goes out on it. One that changes nothing and has no body goes again. */
function mayRetry(req: IncomingMessage, res: ServerResponse, { error, passage }: Failure): boolean {
  const safe = req.method === 'GET' || req.method === 'HEAD' || req.method === 'OPTIONS';
  const bodiless = (req.headers['content-length'] ?? '0') === '0' && req.headers['transfer-encoding'] === undefined;
  const reset = error.code === 'ECONNRESET' || error.code === 'EPIPE';
  const reused = passage.proxyReq?.reusedSocket === true && !passage.timedOut;
  return safe && bodiless && reset && reused && !passage.retried && !res.headersSent && !res.destroyed;
}

const headOverflow = 'HPE_HEADER_OVERFLOW';
const notAccepted = new Set(['ECONNREFUSED', 'ENOENT', 'EAGAIN', 'EACCES', 'EMFILE', 'ENFILE']);

function codeOf(error: NodeJS.ErrnoException, passage: Passage): ErrorCode {
  if (passage.timedOut || error.code === 'ERR_UPSTREAM_UPGRADE_TIMEOUT') return 'FN_TIMEOUT';
  if (error.code === headOverflow) return 'FN_BAD_RESPONSE';
  return notAccepted.has(error.code ?? '') ? 'FN_APP_UNAVAILABLE' : 'FN_APP_UNREACHABLE';
}

/** Else the head waits for the first bytes of the body, and with it an answer that needs none of it. */
function flushRequest(proxyReq: ClientRequest): void {
  if (!proxyReq.headersSent && !proxyReq.destroyed) proxyReq.flushHeaders();
}

function flushHead(res: ServerResponse): void {
  if (!res.headersSent && !res.destroyed) res.flushHeaders();
}

function passOnEarlyHints({ statusCode, headers }: InformationEvent, res: ServerResponse): void {
  const { link } = headers;
  if (statusCode !== 103 || link === undefined || res.headersSent || res.destroyed || res.req.httpVersionMinor === 0)
    return;
  try {
    res.writeEarlyHints({ link });
  } catch {
    // Node takes fewer Link values than apps may send; hints may be left out.
  }
}
