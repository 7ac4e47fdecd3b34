import { dispatchMethod } from '../../router/methods.ts';
import type { Arrival } from './arrival.ts';
import { Exchange } from './exchange.ts';
import type { Generation } from './generation.ts';
import { upgradeHeaders } from './websocket/handshake.ts';

/** Answers a request from the function its path leads to, or says why there is none. */
export function route(arrival: Arrival, generation: Generation): void {
  const { tx, target, requestId } = arrival;
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
  new Exchange(arrival, { slot, params }).begin();
}
