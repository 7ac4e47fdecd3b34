import { FnrunError } from '../runtime/contract/errors.ts';

/** A TCP address; port 0: any free one. */
export interface ListenAddress {
  host: string;
  port: number;
}

const address = /^(?:(?<host>\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):)?(?<port>\d{1,5})$/;

/** Reads `HOST:PORT`, `[IPV6]:PORT` or `PORT` (on 127.0.0.1); `none` is null. Throws FN_USAGE. */
export function parseListenAddress(text: string): ListenAddress | null {
  if (text === 'none') return null;
  const { host = '127.0.0.1', port = '' } = address.exec(text)?.groups ?? {};
  if (port !== '' && Number(port) <= 65_535) return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
  throw new FnrunError('FN_USAGE', `--listen must be HOST:PORT, for example 127.0.0.1:8080, or none: it is ${text}`);
}
