import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../../contract/errors.ts';
import { socketLimits } from '../../contract/limits.ts';
import { sendProblem } from '../../../router/problem.ts';
import type { ProblemOptions } from '../../../router/problem.ts';
import { requestIdOf } from '../../../router/request-id.ts';
import { originForm, readRequestHead } from '../../../router/target.ts';
import { isUpgradeRequest } from '../../../router/upgrade-request.ts';
import type { HostApp } from '../app.ts';
import type { FunctionSlot } from '../function-slot.ts';
import { peerOf } from '../peer.ts';
import { originAllowed, readHandshake } from './handshake.ts';
import { trackSockets } from './open-sockets.ts';
import type { OpenSockets } from './open-sockets.ts';
import { createSocketPackage } from './package.ts';
import { refusalOf } from './refusal.ts';
import { Upgrade } from './upgrade.ts';
import type { UpgradeOptions } from './upgrade.ts';

/** What the WebSockets of an app host are made of. */
export interface UpgradesOptions {
  app: HostApp;
  dev: boolean;
  /** How often clients are pinged. @default socketLimits.pingEveryMs */
  pingEveryMs?: number;
}

/** The WebSockets of an app host. */
export interface Upgrades {
  /** Whether a request asks for a WebSocket where there is one; all others are served as if they had not asked. */
  wants(req: IncomingMessage): boolean;
  handle(req: IncomingMessage, socket: Socket, head: Buffer): void;
  /** A release went live: what its WebSockets will need is made ready. */
  prepare(): void;
  /** Closes the open ones, opens no more. */
  close(code: number, reason: string): void;
}

interface Found {
  slot: FunctionSlot;
  params: Record<string, unknown>;
  host: string;
  url: string;
  clientAddress: string;
}

/** Creates the part of a host's server that answers upgrades. */
export function createUpgrades({ app, dev, pingEveryMs = socketLimits.pingEveryMs }: UpgradesOptions): Upgrades {
  const sockets = trackSockets({ pingEveryMs });
  const ws = createSocketPackage(app);
  return {
    wants(req) {
      return isUpgradeRequest(req) && find(req, app)?.slot.fn.inspection?.websocket === true;
    },
    handle(req, socket, head) {
      const startedAt = performance.now();
      // Whoever writes to it hears of its end by 'close'.
      socket.on('error', () => socket.destroy());
      app.counters.requests++;
      const requestId = requestIdOf(req.headers['x-request-id']);
      const onAnswered = (status: number): void => {
        if (dev) logAnswer(app, { req, requestId, status, durationMs: performance.now() - startedAt });
      };
      const found = find(req, app);
      const handshake = readHandshake(req.headers);
      const refusal = handshake.ok ? objectionTo(found, { req, sockets }) : handshake;
      if (found === null || !handshake.ok || refusal !== null) {
        const { code, ...options } = refusal ?? { code: 'FN_NOT_FOUND' };
        const res = refusalOf(req, socket);
        sendProblem(res, code, { requestId, ...options });
        onAnswered(res.statusCode);
        return;
      }
      const { slot } = found;
      const { name } = slot.fn;
      slot.requests++;
      sockets.begin();
      const options: Omit<UpgradeOptions, 'server'> = {
        socket,
        head,
        offered: handshake.protocols,
        ...found,
        requestId,
        dev,
        onTrouble: (message) => app.log({ level: 'error', function: name, release: slot.release, requestId, message }),
        onAnswered,
        onOpen: (opened) => sockets.add(opened),
        onDone(failed, opened) {
          sockets.end(opened);
          if (!failed) return;
          slot.failures++;
          app.counters.failures++;
        },
      };
      void ws.load().then(({ WebSocketServer }) => {
        if (socket.destroyed) sockets.end(null);
        else slot.dispatch(new Upgrade(req, { ...options, server: WebSocketServer }), performance.now());
      });
    },
    prepare: () => ws.prepare(),
    close: (code, reason) => sockets.close(code, reason),
  };
}

/** Why an upgrade goes no further than the host; null: it does. */
function objectionTo(
  found: Found | null,
  { req, sockets }: { req: IncomingMessage; sockets: OpenSockets },
): Refusal | null {
  // The release may have changed since the request was looked at.
  if (found === null) return { code: 'FN_NOT_FOUND' };
  if (sockets.closing) return { code: 'FN_APP_UNAVAILABLE', detail: 'The server is stopping' };
  const { host, slot } = found;
  const { origin } = req.headers;
  if (!originAllowed(origin, { host, allowed: slot.settings.origins ?? null })) {
    return { code: 'FN_ORIGIN_REFUSED', detail: `A page of ${origin ?? ''} may not open a WebSocket at ${host}` };
  }
  if (sockets.underWay < socketLimits.open) return null;
  return { code: 'FN_OVERLOADED', detail: `The app has ${sockets.underWay} WebSockets already` };
}

/** The function that a request is for, as for any other request but for the files of public/. */
function find(req: IncomingMessage, app: HostApp): Found | null {
  const head = readRequestHead(req);
  const generation = app.live;
  if (!head.ok || generation === null || head.target.form === 'asterisk') return null;
  const match = generation.matcher(head.target);
  if (match === null) return null;
  const { protocol, address } = peerOf(req);
  const { host } = head.host;
  return {
    slot: generation.slotOf(match.fn),
    params: match.params,
    host,
    url: `${protocol}://${host}${originForm(head.target)}`,
    clientAddress: address,
  };
}

interface Answer {
  req: IncomingMessage;
  requestId: string;
  status: number;
  durationMs: number;
}

function logAnswer(app: HostApp, { req, requestId, status, durationMs }: Answer): void {
  const path = req.url ?? '';
  const access = { method: 'GET', path, status, durationMs };
  const message = `GET ${path} ${status} ${durationMs.toFixed(1)} ms`;
  app.log({ level: status >= 500 ? 'error' : 'info', requestId, message, access });
}

type Refusal = { code: ErrorCode } & ProblemOptions;
