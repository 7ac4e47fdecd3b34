import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ErrorCode } from '../../runtime/contract/errors.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { gatewayLimits, httpLimits } from '../../runtime/contract/limits.ts';
import { holdContinue, sendContinue } from '../continue.ts';
import { endWithProblem, lingerFor } from '../client-error.ts';
import { guardServer, isDistrusted, refuseRequest } from '../guard-server.ts';
import { sendProblem } from '../problem.ts';
import { requestIdOf } from '../request-id.ts';
import { originForm, readRequestHead } from '../target.ts';
import { isUpgradeRequest } from '../upgrade-request.ts';
import { trackConnections } from './connections.ts';
import { InFlight } from './in-flight.ts';
import { createProxy } from './proxy.ts';
import type { Destination } from './proxy.ts';
import { resolveHost } from './resolve-host.ts';
import type { GatewayApp } from './resolve-host.ts';

/** What a gateway is made of. */
export interface GatewayOptions {
  /** The apps as they are now. Called once per request: must be cheap. */
  apps: () => readonly GatewayApp[];
  /** Version told by the health check. */
  version: string;
  /** How long requests may go on after `drain()`, in ms. @default gatewayLimits.drainMs */
  drainMs?: number;
  /** How long WebSockets may take to end after `close()`, in ms. @default gatewayLimits.closeMs */
  closeMs?: number;
  /** Requests and WebSockets at once per app; further ones get 503. @default gatewayLimits.inFlightPerApp */
  inFlightPerApp?: number;
  /** Time without a byte after which a WebSocket is given up, in ms. @default gatewayLimits.socketIdleMs */
  socketIdleMs?: number;
  /** Time without a byte after which a request to an app, and a client that takes none of its response, are given up, in ms. @default gatewayLimits.upstreamIdleMs */
  idleMs?: number;
  /** How long the head of a request may take, in ms; 408 then. @default httpLimits.headersTimeoutMs */
  headTimeoutMs?: number;
}

/** The HTTP listener for machines without nginx. */
export interface Gateway {
  /**
   * Starts to listen; `port` 0 takes a free one.
   * @throws FnrunError FN_PORT_IN_USE when the port is taken
   */
  listen(options: { host: string; port: number }): Promise<{ host: string; port: number }>;
  /**
   * Takes no more, ends idle connections at once and others with their request. Resolves when that is so, or the drain
   * time is over. WebSockets go on: it is their app that ends them, and says why. Idempotent.
   */
  drain(): Promise<void>;
  /** After `drain()`, gives WebSockets a moment to pass on how their apps ended them, then cuts those left. Idempotent. */
  close(): Promise<void>;
}

/** Path of the health check; it is answered on every host name, before any app is looked for. */
export const healthPath = '/.well-known/fnrun/health';

/** Creates a gateway that leads each request to the app its Host names. */
export function createGateway(options: GatewayOptions): Gateway {
  const { apps, version, drainMs = gatewayLimits.drainMs, inFlightPerApp = gatewayLimits.inFlightPerApp } = options;
  const { closeMs = gatewayLimits.closeMs } = options;
  const { socketIdleMs = gatewayLimits.socketIdleMs, headTimeoutMs = httpLimits.headersTimeoutMs } = options;
  const { idleMs = gatewayLimits.upstreamIdleMs } = options;
  // A response without length ends with its connection in HTTP/1.0.
  const keepAlive = (res: ServerResponse): boolean =>
    res.shouldKeepAlive && !connections.draining && res.req.httpVersionMinor > 0;
  const proxy = createProxy({ keepAlive, socketIdleMs, idleMs });
  const inFlight = new InFlight({ perApp: inFlightPerApp });

  const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
    if (isDistrusted(req)) return void req.resume();

    const requestId = requestIdOf(req.headers['x-request-id']);
    // Behind an upgrade that is not made Node drops the bytes of the next request, if they came with this one.
    res.shouldKeepAlive = keepAlive(res) && req.headers.upgrade === undefined;
    const route = readRoute(req, { apps: apps(), requestId });
    if (route.kind === 'problem') {
      const problem = { detail: route.detail, requestId };
      if (route.code === 'FN_BAD_REQUEST') refuseRequest(req, res, problem);
      else sendProblem(res, route.code, problem);
    } else if (route.kind === 'health') {
      res.setHeader('x-request-id', requestId);
      answerHealth(res, { status: connections.draining ? 'stopping' : 'ok', apps: apps().length, version });
    } else if (route.kind === 'server-options') {
      res.writeHead(204, { 'x-request-id': requestId }).end();
    } else if (inFlight.enter(route.app.name, res)) {
      sendContinue(res);
      res.once('finish', () => lingerFor(req));
      // A response that began before `drain()` has left its connection open for another request.
      res.once('close', () => connections.draining && setImmediate(() => server.closeIdleConnections()));
      proxy.forward(req, res, route.to);
    } else {
      sendProblem(res, 'FN_OVERLOADED', { detail: 'The app has too many requests under way', requestId });
    }
  };
  const server = createServer(serverOptions(headTimeoutMs), onRequest);
  const connections = trackConnections(server, { drainMs, closeMs });
  server.on('checkContinue', (req, res) => {
    holdContinue(res);
    onRequest(req, res);
  });
  guardServer(server);
  server.on('upgrade', (req, stream, head) => {
    // The server listens on TCP without TLS: its streams are sockets.
    const socket = stream as Socket;
    socket.on('error', () => socket.destroy());
    connections.upgraded(socket);
    const requestId = requestIdOf(req.headers['x-request-id']);
    const route = readRoute(req, { apps: apps(), requestId });
    if (route.kind === 'problem') endWithProblem(socket, route.code, { detail: route.detail, requestId });
    else if (route.kind !== 'app') endWithProblem(socket, 'FN_NOT_FOUND', { requestId });
    else if (connections.draining) endWithProblem(socket, 'FN_APP_UNAVAILABLE', { ...stopping, requestId });
    else if (inFlight.enter(route.app.name, socket)) proxy.upgrade(req, socket, { head, to: route.to });
    else endWithProblem(socket, 'FN_OVERLOADED', { requestId });
  });

  return {
    listen: (address) => listen(server, address),
    drain: () => connections.drain(),
    async close() {
      await connections.end();
      proxy.close();
    },
  };
}

const stopping = { detail: 'The server is stopping' };

const serverOptions = (headTimeoutMs: number): ServerOptions => ({
  maxHeaderSize: httpLimits.headBytes,
  headersTimeout: headTimeoutMs,
  requestTimeout: httpLimits.requestTimeoutMs,
  keepAliveTimeout: httpLimits.keepAliveTimeoutMs,
  connectionsCheckingInterval: Math.min(httpLimits.timeoutCheckMs, headTimeoutMs),
  // A missing Host is answered by readRequestHead, with a problem document.
  requireHostHeader: false,
  shouldUpgradeCallback: isUpgradeRequest,
});

type Route =
  | { kind: 'app'; app: GatewayApp; to: Destination }
  | { kind: 'health' }
  | { kind: 'server-options' }
  | { kind: 'problem'; code: ErrorCode; detail: string };

interface RouteOptions {
  apps: readonly GatewayApp[];
  requestId: string;
}

function readRoute(req: IncomingMessage, { apps, requestId }: RouteOptions): Route {
  const head = readRequestHead(req);
  if (!head.ok) return { kind: 'problem', code: 'FN_BAD_REQUEST', detail: head.reason };
  const { target, host } = head;
  if (target.path === healthPath && (req.method === 'GET' || req.method === 'HEAD')) return { kind: 'health' };
  if (target.form === 'asterisk') return { kind: 'server-options' };
  const app = resolveHost(host.hostname, apps);
  if (app === null)
    return { kind: 'problem', code: 'FN_APP_NOT_FOUND', detail: `No app has the host name ${host.hostname}` };
  if (!app.live)
    return { kind: 'problem', code: 'FN_NO_RELEASE', detail: `The app ${app.name} waits for its first push` };
  const to = { socketPath: app.socketPath, requestId, host: host.host, url: originForm(target) };
  return { kind: 'app', app, to };
}

function answerHealth(res: ServerResponse, health: { status: 'ok' | 'stopping'; apps: number; version: string }): void {
  const body = JSON.stringify(health);
  res.writeHead(health.status === 'ok' ? 200 : 503, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  res.end(res.req.method === 'HEAD' ? undefined : body);
}

function listen(
  server: Server,
  { host, port }: { host: string; port: number },
): Promise<{ host: string; port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
        const what = `Cannot listen on ${host}:${port}: it is no address of this machine`;
        return reject(new FnrunError('FN_USAGE', what, { cause: error, hint: 'for example --listen 127.0.0.1:8080' }));
      }
      if (error.code === 'EACCES') {
        const what = `Cannot listen on ${host}:${port}: the port is reserved for root`;
        const hint = 'take one from 1024 up, for example --listen 127.0.0.1:8080';
        return reject(new FnrunError('FN_PORT_IN_USE', what, { cause: error, hint }));
      }
      if (error.code !== 'EADDRINUSE') return reject(error);
      const hint = 'choose another one with --listen, or end the program that has it';
      reject(
        new FnrunError('FN_PORT_IN_USE', `Cannot listen on ${host}:${port}: the port is taken`, { cause: error, hint }),
      );
    });
    server.listen({ host, port }, () => {
      const bound = server.address() as AddressInfo;
      resolve({ host: bound.address, port: bound.port });
    });
  });
}
