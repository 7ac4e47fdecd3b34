import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { requestBytes, type BenchTarget, type RequestOptions } from './target.ts';

export interface UrlTargetOptions extends Omit<RequestOptions, 'host' | 'path'> {
  url: string;
  /** The caller says that the server may be loaded. */
  mayLoad: boolean;
}

/**
 * A server by its URL. Throws FN_USAGE for one that is not this machine's own unless `mayLoad`: the search for the knee
 * ends only when the server can no longer follow.
 */
export async function urlTarget({ url: text, mayLoad, ...request }: UrlTargetOptions): Promise<BenchTarget> {
  const url = parse(text);
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(hostname) === 0 ? await resolve(hostname) : [hostname];
  if (!mayLoad && !addresses.every(isLoopback)) {
    throw new FnrunError(
      'FN_USAGE',
      `${url.host} is not this machine, and bench loads a server until it can no longer follow: its users would feel it`,
      {
        hint: 'run it on the server itself, against a URL of 127.0.0.1; or, when that server is yours and idle: --load-this-server',
      },
    );
  }
  const secure = url.protocol === 'https:';
  const port = Number(url.port || (secure ? 443 : 80));
  return {
    name: `${request.method} ${url.href}`,
    address: { host: addresses[0]!, port, ...(secure && { servername: hostname }) },
    method: request.method,
    request: requestBytes({ ...request, path: `${url.pathname}${url.search}`, host: url.host }),
    cpu: () => null,
    figures: async () => null,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function parse(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '') return url;
  throw new FnrunError('FN_USAGE', `${JSON.stringify(text)} is no URL of http or https`, {
    hint: 'for example http://127.0.0.1:3000/hello',
  });
}

async function resolve(hostname: string): Promise<string[]> {
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw new FnrunError('FN_USAGE', `${hostname} cannot be resolved`, { cause });
  }
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isLoopback(address: string): boolean {
  return loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
