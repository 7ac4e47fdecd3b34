import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { hostLimits, httpLimits } from '../contract/limits.ts';
import { answerClientError } from '../../router/client-error.ts';
import { dispatchMethod } from '../../router/methods.ts';
import { sendProblem } from '../../router/problem.ts';
import { requestIdOf } from '../../router/request-id.ts';
import { originForm, readRequestHead } from '../../router/target.ts';
import type { HostApp } from './app.ts';
import { Exchange } from './exchange.ts';
import { peerOf } from './peer.ts';
import { upgradeHeaders } from './websocket/handshake.ts';
import { createUpgrades } from './websocket/upgrades.ts';

/** What a host server is made of. */
export interface HostServerOptions {
  app: HostApp;
  /** Development: access lines in the log, stacks in problem documents. */
  dev: boolean;
}

/** The HTTP server of an app host. It never listens: connections are handed to it. */
export interface HostServer {
  accept(socket: Socket): void;
  /** Ends idle connections, lets the others finish their response. Resolves when none is left. */
  drain(): Promise<void>;
}

/** Creates the server that answers from the app's live generation. */
export function createHostServer({ app, dev }: HostServerOptions): HostServer {
  const upgrades = createUpgrades({ app, dev });
  const server: Server = createServer(
    {
      maxHeaderSize: httpLimits.headBytes,
      headersTimeout: httpLimits.headersTimeoutMs,
      requestTimeout: httpLimits.requestTimeoutMs,
      keepAliveTimeout: httpLimits.keepAliveTimeoutMs,
      connectionsCheckingInterval: httpLimits.timeoutCheckMs,
      noDelay: true,
      // Answered by ourselves, with a problem document.
      requireHostHeader: false,
      shouldUpgradeCallback: (req) => upgrades.wants(req),
    },
    (req, res) => handle({ req, res, app, dev }),
  );
  server.on('clientError', answerClientError);
  server.on('upgrade', (req, socket, head) => upgrades.handle(req, socket as Socket, head));
  const sockets = new Set<Socket>();
  let draining = false;
  // A server that never listens runs no header or request timeouts, unless it believes it does.
  server.emit('listening');
  server.on('request', (_req, res) => {
    if (draining) res.shouldKeepAlive = false;
  });
  return {
    accept(socket) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      server.emit('connection', socket);
      socket.resume();
    },
    async drain() {
      draining = true;
      upgrades.close(1001, 'the server is stopping');
      server.closeIdleConnections();
      // A connection whose request began before the drain becomes idle after it.
      const sweep = setInterval(() => server.closeIdleConnections(), hostLimits.drainSweepMs);
      await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
      clearInterval(sweep);
    },
  };
}

interface Incoming {
  req: IncomingMessage;
  res: ServerResponse;
  app: HostApp;
  dev: boolean;
}

function handle({ req, res, app, dev }: Incoming): void {
  const requestId = requestIdOf(req.headers['x-request-id']);
  app.counters.requests++;
  if (dev) logAccess({ req, res, app, requestId });
  const head = readRequestHead(req);
  if (!head.ok) {
    res.shouldKeepAlive = false;
    sendProblem(res, 'FN_BAD_REQUEST', { detail: head.reason, requestId });
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
  const match = generation.matcher(target);
  if (match === null) {
    sendProblem(res, 'FN_NOT_FOUND', { detail: `No function answers ${target.path}`, requestId });
    return;
  }
  const { fn, params } = match;
  if (fn.inspection?.shape === 'websocket') {
    const connection = res.shouldKeepAlive ? 'upgrade' : 'close, upgrade';
    sendProblem(res, 'FN_UPGRADE_REQUIRED', { requestId, headers: { ...upgradeHeaders, connection } });
    return;
  }
  const slot = generation.slotOf(fn);
  const dispatch = dispatchMethod(fn.inspection ?? { methods: null }, req.method ?? 'GET');
  if (dispatch.kind === 'refused') {
    const detail = `${req.method} is not answered here; the function answers ${dispatch.allow}`;
    sendProblem(res, 'FN_METHOD_NOT_ALLOWED', { detail, requestId, headers: { allow: dispatch.allow } });
    return;
  }
  if (dispatch.kind === 'options') {
    res.writeHead(204, { allow: dispatch.allow, 'x-request-id': requestId }).end();
    return;
  }
  slot.requests++;
  const peer = peerOf(req);
  new Exchange(req, {
    res,
    slot,
    url: `${peer.protocol}://${host.host}${originForm(target)}`,
    params,
    requestId,
    clientAddress: peer.address,
    dev,
    onTrouble(message) {
      app.log({ level: 'error', function: fn.name, release: slot.release, requestId, message });
    },
    onDone(failed) {
      if (!failed) return;
      slot.failures++;
      app.counters.failures++;
    },
  }).begin();
}

function logAccess({ req, res, app, requestId }: Omit<Incoming, 'dev'> & { requestId: string }): void {
  const before = performance.now();
  const path = req.url ?? '';
  res.once('close', () => {
    const durationMs = performance.now() - before;
    const { statusCode: status } = res;
    const access = { method: req.method ?? '', path, status, durationMs };
    const message = `${access.method} ${path} ${status} ${durationMs.toFixed(1)} ms`;
    app.log({ level: status >= 500 ? 'error' : 'info', requestId, message, access });
  });
}
