/**
 * Names of headers that are about one connection only (RFC 9110, section 7.6.1, and the older ones that every proxy
 * drops). Transfer-Encoding is not among them: frameworks tell by it that a request has a body.
 */
const hopByHop = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade'];
/** Their lengths; other names are not looked at closer. */
const lengths = new Set(hopByHop.map((name) => name.length));
const dropped = new Set(hopByHop);
/** Said by fnrun and the proxies in front of it, or needed to read the request: no client takes them away by Connection. */
const kept = new Set(['host', 'content-length', 'transfer-encoding', 'x-request-id']);
const keptPrefix = 'x-forwarded-';
const ownPrefix = 'x-fnrun-';
const requestIdName = 'x-request-id';
/** How nginx, which does not drop them, passes on the names in the client's Connection. */
const connectionOfClient = 'x-fnrun-connection';

/**
 * The headers of a request (flat, as in `rawHeaders`) as the handler is to see them: without those about one
 * connection, without those that `Connection` names, without every x-fnrun-*, and with no other request id than
 * `requestId`. Mostly that is the list that came in, unchanged and not copied.
 */
export function endToEndHeaders(rawHeaders: readonly string[], requestId: string): readonly string[] {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const { length } = name;
    if (lengths.has(length) && dropped.has(name.toLowerCase())) return filtered(rawHeaders, requestId);
    if (length >= ownPrefix.length && isOwn(name)) return filtered(rawHeaders, requestId);
    const isId = length === requestIdName.length && name.toLowerCase() === requestIdName;
    if (isId && rawHeaders[i + 1] !== requestId) return filtered(rawHeaders, requestId);
  }
  return rawHeaders;
}

function isOwn(name: string): boolean {
  // `x` and `f` in either case, before anything is copied.
  if ((name.charCodeAt(0) | 32) !== 120 || (name.charCodeAt(2) | 32) !== 102) return false;
  return name.slice(0, ownPrefix.length).toLowerCase() === ownPrefix;
}

function filtered(rawHeaders: readonly string[], requestId: string): string[] {
  const named = namedInConnection(rawHeaders);
  const list: string[] = [];
  let hasId = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const lower = name.toLowerCase();
    if (lower === requestIdName) {
      if (!hasId) list.push(name, requestId);
      hasId = true;
    } else if (!dropped.has(lower) && !named.has(lower) && !lower.startsWith(ownPrefix)) {
      list.push(name, rawHeaders[i + 1] as string);
    }
  }
  return list;
}

/** Lower-case names that the client's Connection headers take away from the request. */
function namedInConnection(rawHeaders: readonly string[]): Set<string> {
  const named = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const lower = (rawHeaders[i] as string).toLowerCase();
    if (lower !== 'connection' && lower !== connectionOfClient) continue;
    for (const option of (rawHeaders[i + 1] as string).toLowerCase().split(',')) {
      const name = option.trim();
      if (name !== '' && !kept.has(name) && !name.startsWith(keptPrefix)) named.add(name);
    }
  }
  return named;
}
