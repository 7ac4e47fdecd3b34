import { dispatchMethod } from '../../router/methods.ts';
import { originForm } from '../../router/target.ts';
import type { Host, Target } from '../../router/target.ts';
import type { HostApp } from './app.ts';
import { Exchange } from './exchange.ts';
import type { Generation } from './generation.ts';
import type { Peer } from './peer.ts';
import type { Transaction } from './transaction.ts';
import { upgradeHeaders } from './websocket/handshake.ts';

/** A request that is well-formed and no static file answers. */
export interface Arrival {
  tx: Transaction;
  app: HostApp;
  generation: Generation;
  target: Target;
  host: Host;
  requestId: string;
  peer: Peer;
  dev: boolean;
}

/** Answers a request from the function its path leads to, or says why there is none. */
export function route({ tx, app, generation, target, host, requestId, peer, dev }: Arrival): void {
  const match = generation.matcher(target);
  if (match === null) {
    tx.problem('FN_NOT_FOUND', { detail: `No function answers ${target.path}`, requestId });
    return;
  }
  const { fn, params } = match;
  if (fn.inspection?.shape === 'websocket') {
    const connection = tx.keepAlive ? 'upgrade' : 'close, upgrade';
    tx.problem('FN_UPGRADE_REQUIRED', { requestId, headers: { ...upgradeHeaders, connection } });
    return;
  }
  const slot = generation.slotOf(fn);
  const dispatch = dispatchMethod(fn.inspection ?? { methods: null }, tx.method);
  if (dispatch.kind === 'refused') {
    const detail = `${tx.method} is not answered here; the function answers ${dispatch.allow}`;
    tx.problem('FN_METHOD_NOT_ALLOWED', { detail, requestId, headers: { allow: dispatch.allow } });
    return;
  }
  if (dispatch.kind === 'options') {
    tx.answer(204, { allow: dispatch.allow, 'x-request-id': requestId });
    return;
  }
  slot.requests++;
  new Exchange(tx, {
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
