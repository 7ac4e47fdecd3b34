import { FnrunError } from '../runtime/contract/errors.ts';

/** Reads a TCP port, 0 (any free one) included. Throws FN_USAGE naming `option`. */
export function parsePort(text: string, option: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65_535)) throw new FnrunError('FN_USAGE', `${option} must be a port from 0 to 65535: it is ${text}`);
  return port;
}
