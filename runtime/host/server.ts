import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostLimits, httpLimits } from '../contract/limits.ts';
import { holdContinue } from '../../router/continue.ts';
import { guardServer, isDistrusted, refuseRequest } from '../../router/guard-server.ts';
import { sendProblem } from '../../router/problem.ts';
import { requestIdOf } from '../../router/request-id.ts';
import { readHostValue, readRequestHead, readTarget } from '../../router/target.ts';
import type { HostApp } from './app.ts';
import { DirectConnection } from './direct/connection.ts';
import type { DirectServices } from './direct/connection.ts';
import type { DirectHead } from './direct/request-head.ts';
import { allowHalfOpen, destroyWhenGone } from './half-open.ts';
import { giveWhenWritten, handBack } from './hand-back.ts';
import { NodeTransaction, timingOf } from './node-transaction.ts';
import { peerFrom, peerOf } from './peer.ts';
import { route } from './route.ts';
import { createUpgrades } from './websocket/upgrades.ts';

/** What a host server is made of. */
export interface HostServerOptions {
  app: HostApp;
  /** Development: access lines in the log, stacks in problem documents. */
  dev: boolean;
  /** How long the head of a request may take, in ms; 408 then. @default httpLimits.headersTimeoutMs */
  headTimeoutMs?: number;
}

/** The HTTP server of an app host. It never listens: connections are handed to it. */
export interface HostServer {
  accept(socket: Socket): void;
  /** A release went live: what its WebSockets will need is made ready. */
  prepare(): void;
  /** Ends idle connections, lets the others finish their response. Resolves when none is left. */
  drain(): Promise<void>;
  /**
   * Another server has taken over: each response is the last of its connection, and idle ones are left to their clients to
   * end. Resolves when there has been none for `hostLimits.leaveQuietMs`.
   */
  leave(): Promise<void>;
  /** Gives every connection to `give`, each between two of its requests. Resolves when none is left. */
  handOver(give: (socket: Socket) => void): Promise<void>;
  /** Time since the last connection ended, in ms; 0 while there is one. */
  readonly idleMs: number;
}

/** Creates the server that answers from the app's live generation. */
export function createHostServer({
  app,
  dev,
  headTimeoutMs = httpLimits.headersTimeoutMs,
}: HostServerOptions): HostServer {
  const upgrades = createUpgrades({ app, dev });
  const server = createNodeServer({ app, dev, headTimeoutMs, upgrades, isDraining: () => draining || leaving });
  const sockets = new Set<Socket>();
  const direct = sweptConnections();
  let draining = false;
  let leaving = false;
  let idleSince = performance.now();
  const toNode = (socket: Socket): void => {
    server.emit('connection', socket);
    socket.once('end', () => destroyWhenGone(socket));
    socket.resume();
  };
  const services: DirectServices = {
    headTimeoutMs,
    serve: (head, connection) => serveDirect(head, { connection, app }),
    handOver: toNode,
    onClosed: (connection) => direct.delete(connection),
  };
  return {
    accept(socket) {
      sockets.add(socket);
      socket.once('close', () => {
        sockets.delete(socket);
        idleSince = performance.now();
      });
      socket.setNoDelay(true);
      allowHalfOpen(socket);
      if (dev) return toNode(socket);
      const connection = new DirectConnection(socket, services);
      direct.add(connection);
      if (leaving) connection.leave();
    },
    prepare: () => upgrades.prepare(),
    async drain() {
      draining = true;
      upgrades.close(1001, 'the server is stopping');
      for (const connection of direct) connection.drain();
      server.closeIdleConnections();
      // A connection whose request began before the drain becomes idle after it.
      const sweep = setInterval(() => server.closeIdleConnections(), hostLimits.drainSweepMs);
      await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
      clearInterval(sweep);
    },
    async leave() {
      leaving = true;
      upgrades.close(1012, 'another server serves the app from now on');
      for (const connection of direct) connection.leave();
      const isQuiet = (): boolean => sockets.size === 0 && performance.now() - idleSince >= hostLimits.leaveQuietMs;
      while (!isQuiet()) await sleep(hostLimits.drainSweepMs);
    },
    handOver(give) {
      upgrades.close(1012, 'the app moves to another process');
      const giveDirect = (socket: Socket): void => {
        giveWhenWritten(socket, () => {
          sockets.delete(socket);
          give(socket);
        });
      };
      for (const connection of direct) connection.giveBack(giveDirect);
      return handBack({ server, sockets, give });
    },
    get idleMs() {
      return sockets.size > 0 ? 0 : performance.now() - idleSince;
    },
  };
}

/** A set whose connections are looked after when they are idle. */
function sweptConnections(): Set<DirectConnection> {
  const connections = new Set<DirectConnection>();
  const sweep = (): void => {
    const now = performance.now();
    for (const connection of connections) connection.sweep(now);
  };
  setInterval(sweep, httpLimits.idleSweepMs).unref();
  return connections;
}

/** The part of node:http: requests that are not of the plainest form, and upgrades. */
function createNodeServer({
  app,
  dev,
  headTimeoutMs,
  upgrades,
  isDraining,
}: Required<HostServerOptions> & { upgrades: ReturnType<typeof createUpgrades>; isDraining: () => boolean }): Server {
  const server = createServer(
    {
      maxHeaderSize: httpLimits.headBytes,
      headersTimeout: headTimeoutMs,
      requestTimeout: httpLimits.requestTimeoutMs,
      keepAliveTimeout: httpLimits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(httpLimits.timeoutCheckMs, headTimeoutMs),
      noDelay: true,
      // Answered by ourselves, with a problem document.
      requireHostHeader: false,
      shouldUpgradeCallback: (req) => upgrades.wants(req),
    },
    (req, res) => handle({ req, res, app, dev }),
  );
  // A client that has ended its side is answered, where its socket allows for it. An old switch, without types.
  Object.assign(server, { httpAllowHalfOpen: true });
  guardServer(server);
  server.on('upgrade', (req, socket, head) => upgrades.handle(req, socket as Socket, head));
  server.on('checkContinue', (req, res) => {
    if (isDraining()) res.shouldKeepAlive = false;
    holdContinue(res);
    handle({ req, res, app, dev });
  });
  server.on('request', (_req, res) => {
    if (isDraining()) res.shouldKeepAlive = false;
  });
  // A server that never listens runs no header or request timeouts, unless it believes it does.
  server.emit('listening');
  return server;
}

/** Answers a request on the direct way; false when it is one for node:http. */
function serveDirect(head: DirectHead, { connection, app }: { connection: DirectConnection; app: HostApp }): boolean {
  const host = readHostValue(head.host);
  const read = readTarget(head.target);
  const generation = app.live;
  if (!host.ok || !read.ok || read.target.form !== 'origin' || generation === null) return false;
  const { target } = read;
  const isRead = head.method === 'GET' || head.method === 'HEAD';
  if (isRead && generation.static.find(target) !== null) return false;
  app.counters.requests++;
  const arrival = {
    tx: connection.open(head),
    app,
    target,
    host: host.host,
    requestId: requestIdOf(head.requestId),
    peer: peerFrom(connection.socket.remoteAddress, head),
    dev: false,
  };
  route(arrival, generation);
  return true;
}

interface Incoming {
  req: IncomingMessage;
  res: ServerResponse;
  app: HostApp;
  dev: boolean;
}

function handle({ req, res, app, dev }: Incoming): void {
  if (isDistrusted(req)) return void req.resume();
  const requestId = requestIdOf(req.headers['x-request-id']);
  app.counters.requests++;
  if (dev) logAccess({ req, res, app, requestId });
  // Behind an upgrade that is not made Node drops the bytes of the next request, if they came with this one.
  if (req.headers.upgrade !== undefined) res.shouldKeepAlive = false;
  const head = readRequestHead(req);
  if (!head.ok) {
    refuseRequest(req, res, { detail: head.reason, requestId });
    return;
  }
  const { target, host } = head;
  const generation = app.live;
  if (generation === null) {
    sendProblem(res, 'FN_NO_RELEASE', { detail: 'Push a repository to give the app its first release', requestId });
    return;
  }
  if (target.form === 'asterisk') {
    res.writeHead(204, { 'x-request-id': requestId }).end();
    return;
  }
  if (generation.static.serve(req, res, { target, headers: { 'x-request-id': requestId } })) return;
  const tx = new NodeTransaction(req, { res });
  route({ tx, app, target, host, requestId, peer: peerOf(req), dev }, generation);
}

function logAccess({ req, res, app, requestId }: Omit<Incoming, 'dev'> & { requestId: string }): void {
  const before = performance.now();
  const path = req.url ?? '';
  res.once('close', () => {
    const durationMs = performance.now() - before;
    const { statusCode: status } = res;
    const access = { method: req.method ?? '', path, status, durationMs };
    const timing = timingOf(res);
    const line = `${access.method} ${path} ${status} ${durationMs.toFixed(1)} ms`;
    const message = timing === null ? line : `${line} (${timing})`;
    app.log({ level: status >= 500 ? 'error' : 'info', requestId, message, access });
  });
}
