import type { ServerResponse } from 'node:http';

/** Responses to `Expect: 100-continue` whose client waits, and whether their connection was to be kept. */
const held = new WeakMap<ServerResponse, boolean>();

/**
 * Lets the client of `checkContinue` wait with its body until `sendContinue`. An answer before that ends the
 * connection: nobody could tell whether what comes next is the body or another request.
 */
export function holdContinue(res: ServerResponse): void {
  held.set(res, res.shouldKeepAlive);
  res.shouldKeepAlive = false;
}

/** Whether the client still waits, and sends no body unless it is asked. */
export function isHeld(res: ServerResponse): boolean {
  return held.has(res);
}

/** Asks the client for its body, where it waits to be asked. */
export function sendContinue(res: ServerResponse): void {
  const keepAlive = held.get(res);
  if (keepAlive === undefined || res.headersSent) return;
  held.delete(res);
  res.shouldKeepAlive = keepAlive;
  res.writeContinue();
}
