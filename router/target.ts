import { httpLimits } from '../runtime/contract/limits.ts';

/**
 * The one reading of a request target. Router, handler (`new URL`) and any proxy in front must
 * agree on it, so whatever two of them could read differently is refused; docs/routing.md has the table.
 */
export interface Target {
  /** `asterisk` is `OPTIONS *`; its path is `*`. */
  form: 'origin' | 'absolute' | 'asterisk';
  /** Raw path as it was sent: percent-encoded, trailing slash and all. */
  path: string;
  /** Query with its `?`, or an empty string. */
  search: string;
  /** The authority of an absolute-form target, else null. */
  authority: string | null;
  /** The path consists of unreserved and sub-delimiter characters only: raw and decoded text are the same. */
  plain: boolean;
  /** Decoded segments of a path that is not plain; null for a plain one (see `segmentsOf`). */
  decoded: readonly string[] | null;
}

/** A target, or why it cannot be read (to be told with `FN_BAD_REQUEST`). */
export type TargetResult = { ok: true; target: Target } | { ok: false; reason: string };

/** The Host header, read. `hostname` is lower case, without port and final dot. */
export interface Host {
  host: string;
  hostname: string;
  port: number | null;
}

export type HostResult = { ok: true; host: Host } | { ok: false; reason: string };

/** The part of an `http.IncomingMessage` that routing reads. */
export interface RequestHead {
  method?: string | undefined;
  url?: string | undefined;
  /** `1.1`, for example. */
  httpVersion: string;
  rawHeaders: readonly string[];
}

export type RequestHeadResult = { ok: true; target: Target; host: Host } | { ok: false; reason: string };

// No empty segment but a last one, and none that starts with a dot: nothing here needs decoding or a second look.
const plainPath = /^(?:\/[\w~!$&'()*+,;=:@-][\w.~!$&'()*+,;=:@-]*)*\/?$/;
// What no URI holds. `#` would start a fragment, which clients never send.
const forbidden = /[^\x21-\x7e]|#/;
const absoluteForm = /^https?:\/\/([^/?]*)/i;
// A name or IPv4 address (underscores occur), or an IPv6 literal, and a port.
const hostValue = /^(\[[\da-f:.]+\]|[\w-]+(?:\.[\w-]+)*\.?)(?::(\d{1,5}))?$/i;
const coding = 'transfer-encoding';

// One value back: most requests of an app name the same host (500 → 100 ns).
let lastHost: { value: string; result: HostResult } = { value: '', result: refused('The request has no Host header') };

/**
 * Reads a raw request target (`req.url`) in origin form, absolute form or as `*`.
 * Pure; a plain path costs one pass over it.
 */
export function readTarget(rawTarget: string): TargetResult {
  if (rawTarget.length > httpLimits.targetBytes) {
    return refused(`The request target is longer than ${httpLimits.targetBytes} bytes`);
  }
  if (forbidden.test(rawTarget)) {
    return refused(
      'The request target holds a "#", a space, a control character or a byte that must be percent-encoded',
    );
  }
  if (rawTarget.charCodeAt(0) === 47) return readPath(rawTarget, null);
  if (rawTarget === '*') {
    const target: Target = { form: 'asterisk', path: '*', search: '', authority: null, plain: true, decoded: [] };
    return { ok: true, target };
  }
  const absolute = absoluteForm.exec(rawTarget);
  if (absolute === null) return refused('The request target must be a path that starts with "/"');
  const rest = rawTarget.slice(absolute[0].length);
  return readPath(rest.startsWith('/') ? rest : `/${rest}`, absolute[1] ?? '');
}

function readPath(origin: string, authority: string | null): TargetResult {
  const form = authority === null ? 'origin' : 'absolute';
  const query = origin.indexOf('?');
  const path = query === -1 ? origin : origin.slice(0, query);
  const search = query === -1 ? '' : origin.slice(query);
  if (plainPath.test(path)) {
    return { ok: true, target: { form, path, search, authority, plain: true, decoded: null } };
  }
  // WHATWG URL reads "\" as "/" in http URLs, so the handler would see other segments than the router.
  if (path.includes('\\')) return refused('The path holds a "\\"; percent-encode it as %5C');
  const decoded: string[] = [];
  for (const segment of splitPath(path)) {
    const text = decodeSegment(segment);
    if (text === null) return refused('The path holds a percent-encoding that is not valid UTF-8');
    if (text.includes('\0')) return refused('The path holds a NUL character');
    if (text === '.' || text === '..') return refused('The path holds a "." or ".." segment; send the resolved path');
    decoded.push(text);
  }
  return { ok: true, target: { form, path, search, authority, plain: false, decoded } };
}

/** The decoded segments of a target's path; none for `/`. One trailing slash is not counted. */
export function segmentsOf(target: Target): readonly string[] {
  return target.decoded ?? splitPath(target.path);
}

/** The target in origin form, as it is sent upstream and put into the handler's URL. */
export function originForm(target: Target): string {
  return target.path + target.search;
}

/** Reads the Host header off `rawHeaders`, where a second one is still to be seen. */
export function readHost(rawHeaders: readonly string[]): HostResult {
  let value: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== 4 || (name !== 'Host' && name.toLowerCase() !== 'host')) continue;
    if (value !== null) return refused('The request has two Host headers');
    value = rawHeaders[i + 1] as string;
  }
  return readHostValue(value);
}

/** Reads the value of the Host header; null when there is none. */
export function readHostValue(value: string | null): HostResult {
  if (value === null || value === '') return refused('The request has no Host header');
  if (value === lastHost.value) return lastHost.result;
  const host = parseHost(value);
  if (host === null) return refused('The Host header is not a host name with an optional port');
  lastHost = { value, result: { ok: true, host } };
  return lastHost.result;
}

/** Reads target and Host together: an absolute-form target must name the same host, `*` is for OPTIONS only. */
export function readRequestHead(request: RequestHead): RequestHeadResult {
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0') return refused('The version is not HTTP/1.1');
  const host = readHost(request.rawHeaders);
  if (!host.ok) return host;
  const framing = unclearHeader(request);
  if (framing !== null) return refused(framing);
  const read = readTarget(request.url ?? '');
  if (!read.ok) return read;
  const { target } = read;
  if (target.form === 'asterisk' && request.method !== 'OPTIONS') {
    return refused('The target "*" is for OPTIONS only');
  }
  if (target.authority !== null && !sameHost(target.authority, host.host)) {
    return refused('The host of the request target is not the one of the Host header');
  }
  return { ok: true, target, host: host.host };
}

/**
 * What programs in a row could read in two ways: a header that has one value only and is there twice, and
 * a transfer coding that not all of them undo. (Node refuses two lengths, and a length beside a coding.)
 */
function unclearHeader({ rawHeaders, httpVersion }: RequestHead): string | null {
  let single = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    // content-type, authorization, transfer-encoding: nothing else is looked at closer.
    const bit = name.length === 12 ? 1 : name.length === 13 ? 2 : name.length === 17 ? 4 : 0;
    if (bit === 0 || name.toLowerCase() !== (bit === 1 ? 'content-type' : bit === 2 ? 'authorization' : coding))
      continue;
    if ((single & bit) !== 0) return `The request has two ${name} headers`;
    single |= bit;
    if (bit !== 4) continue;
    if (httpVersion === '1.0') return 'HTTP/1.0 has no Transfer-Encoding';
    if ((rawHeaders[i + 1] as string).toLowerCase() !== 'chunked')
      return 'The only Transfer-Encoding read here is chunked';
  }
  return null;
}

function parseHost(value: string): Host | null {
  const parts = hostValue.exec(value);
  if (parts === null) return null;
  const port = parts[2] === undefined ? null : Number(parts[2]);
  if (port !== null && port > 65_535) return null;
  const hostname = (parts[1] as string).toLowerCase().replace(/\.$/, '');
  // The handler sees the host through URL, which reads `0x7f.1` as 127.0.0.1, and nothing in `1.2.3.4.5` or `xn--a`.
  const url = URL.parse(`http://${value}`);
  if (url === null || (!hostname.startsWith('[') && url.hostname.replace(/\.$/, '') !== hostname)) return null;
  return { host: value, hostname, port };
}

function sameHost(authority: string, host: Host): boolean {
  const named = parseHost(authority);
  return named !== null && named.hostname === host.hostname && (named.port ?? 80) === (host.port ?? 80);
}

function splitPath(path: string): string[] {
  if (path === '/') return [];
  return path.slice(1, path.endsWith('/') ? -1 : undefined).split('/');
}

function decodeSegment(segment: string): string | null {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

function refused(reason: string): { ok: false; reason: string } {
  return { ok: false, reason };
}
