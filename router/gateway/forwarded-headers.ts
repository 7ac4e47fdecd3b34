import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** What the gateway knows about a request and the app cannot see. */
export interface Forwarding {
  requestId: string;
  host: string;
}

// RFC 9110, section 7.6.1, and the older ones that every proxy drops: they are about one connection only.
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
// `expect`: the gateway has answered 100 already. The others are said by the gateway itself, or by nobody.
const ownRequestHeaders = new Set([
  ...hopByHop,
  'host',
  'content-length',
  'expect',
  'forwarded',
  'x-real-ip',
  'x-request-id',
]);
const ownPrefixes = ['x-forwarded-', 'x-fnrun-'];

/**
 * The end-to-end headers of a request, with the client's spelling and every repeated one, and what the
 * gateway says about the client: set anew, since the client could have written it.
 */
export function forwardedHeaders(
  req: IncomingMessage,
  { requestId, host }: Forwarding,
): Record<string, string | string[]> {
  const named = connectionOptions(req.headers.connection);
  const spelling = new Map<string, string>();
  const headers: Record<string, string | string[]> = {};
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    const name = req.rawHeaders[i] as string;
    const value = req.rawHeaders[i + 1] as string;
    const lower = name.toLowerCase();
    if (ownRequestHeaders.has(lower) || named.has(lower) || ownPrefixes.some((prefix) => lower.startsWith(prefix)))
      continue;
    const first = spelling.get(lower);
    if (first === undefined) {
      spelling.set(lower, name);
      headers[name] = value;
    } else {
      headers[first] = [headers[first] as string | string[], value].flat();
    }
  }
  headers['x-request-id'] = requestId;
  headers['x-forwarded-for'] = clientAddress(req);
  headers['x-forwarded-proto'] = 'http';
  headers['x-forwarded-host'] = host;
  return headers;
}

/**
 * What the proxy itself reads off the request: framing, and for a WebSocket the upgrade. A request that
 * declares no body is given `content-length: 0` where Node would else send an empty chunked one.
 */
export function framingHeaders(req: IncomingMessage, host: string): IncomingHttpHeaders {
  const { 'content-length': length, 'transfer-encoding': encoding } = req.headers;
  if (encoding !== undefined) return { host, 'transfer-encoding': encoding };
  if (length !== undefined) return { host, 'content-length': length };
  return req.method === 'GET' || req.method === 'HEAD' ? { host } : { host, 'content-length': '0' };
}

/** Takes the headers about one connection out of an upstream response; Node frames it anew. */
export function stripHopByHop(headers: IncomingHttpHeaders): void {
  for (const name of connectionOptions(headers.connection)) delete headers[name];
  for (const name of hopByHop) delete headers[name];
}

const none: ReadonlySet<string> = new Set();

/** The header names that a Connection header lists. */
function connectionOptions(value: string | undefined): ReadonlySet<string> {
  if (value === undefined || value === 'keep-alive' || value === 'close') return none;
  return new Set(value.split(',').map((name) => name.trim().toLowerCase()));
}

function clientAddress(req: IncomingMessage): string {
  const address = req.socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
