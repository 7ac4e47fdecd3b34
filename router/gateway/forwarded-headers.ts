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

/**
 * The end-to-end headers of a request as names and values in turn, with the client's spelling and every repeated one, and
 * what the gateway says about the client: set anew, since the client could have written it.
 */
export function forwardedHeaders(req: IncomingMessage, { requestId, host }: Forwarding): string[] {
  const named = connectionOptions(req.headers.connection);
  const { rawHeaders } = req;
  const headers: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const lower = name.toLowerCase();
    if (ownRequestHeaders.has(lower) || named.has(lower)) continue;
    if (lower.startsWith('x-f') && (lower.startsWith('x-forwarded-') || lower.startsWith('x-fnrun-'))) continue;
    headers.push(name, rawHeaders[i + 1] as string);
  }
  headers.push('x-request-id', requestId, 'x-forwarded-for', clientAddress(req));
  headers.push('x-forwarded-proto', 'http', 'x-forwarded-host', host);
  return headers;
}

/** The same by name; those that are repeated have several values, under the name as it was written first. */
export function headersByName(headers: readonly string[]): Record<string, string | string[]> {
  const spelling = new Map<string, string>();
  const byName: Record<string, string | string[]> = {};
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    const first = spelling.get(name.toLowerCase());
    if (first === undefined) {
      spelling.set(name.toLowerCase(), name);
      byName[name] = value;
    } else {
      byName[first] = [byName[first] as string | string[], value].flat();
    }
  }
  return byName;
}

/** Takes the headers about one connection out of an upstream response; Node frames it anew. */
export function stripHopByHop(headers: IncomingHttpHeaders): void {
  for (const name of connectionOptions(headers.connection)) delete headers[name];
  for (const name of hopByHop) delete headers[name];
}

const none: ReadonlySet<string> = new Set();

/** The header names that Connection headers list; undici gives several ones apart, whatever its types say. */
function connectionOptions(value: string | readonly string[] | undefined): ReadonlySet<string> {
  if (value === undefined || value === 'keep-alive' || value === 'close') return none;
  return new Set(
    String(value)
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  );
}

function clientAddress(req: IncomingMessage): string {
  const address = req.socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
