import { valueAt } from '../../channel/header-lines.ts';

/** The head of a request that is plain enough for the direct way. */
export interface DirectHead {
  method: string;
  /** The request target as it was sent. */
  target: string;
  /** The headers without those about the connection, a line each. */
  headerLines: string;
  /** Every header as it was sent. */
  allHeaderLines: string;
  /** More is to be left out than the common ones. */
  special: boolean;
  /** Null: no Host header. */
  host: string | null;
  /** Bytes of the body. */
  contentLength: number;
  keepAlive: boolean;
  requestId: string | undefined;
  forwardedFor: string | undefined;
  forwardedProto: string | undefined;
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);

/** What a parser of RFC 9112 can read in one way only. A target is checked further by the router. */
const requestLine = /^([A-Z]{3,7}) (\/[!-~]*) HTTP\/1\.1\r\n/;

// Names are tokens; values hold no control characters but the tab, so neither a bare CR nor a bare LF nor a folded line.
const headerLinesForm = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)+$/;

const contentLengthForm = /^\d{1,15}$/;

type Take = (head: DirectHead, value: string) => boolean;

/**
 * What becomes of headers that decide how a request is read, who sent it, or which are about the connection: `node`
 * leaves the request to node:http, `drop` takes the line away, `once` refuses a second one, `special` lets the
 * router judge; a function keeps the value, and says false when it is none that can be read here. The rest is for the handler.
 */
const uses = new Map<string, 'node' | 'drop' | 'once' | 'special' | Take>([
  ['transfer-encoding', 'node'],
  ['expect', 'node'],
  ['upgrade', 'node'],
  ['keep-alive', 'drop'],
  ['proxy-connection', 'drop'],
  ['te', 'drop'],
  ['trailer', 'drop'],
  ['content-type', 'once'],
  ['authorization', 'once'],
  ['host', (head, value) => ((head.host = value), true)],
  ['x-request-id', (head, value) => ((head.requestId = value), true)],
  ['x-forwarded-for', (head, value) => ((head.forwardedFor = value), true)],
  ['x-forwarded-proto', (head, value) => ((head.forwardedProto = value), true)],
  [
    'connection',
    (head, value) => {
      head.keepAlive = value.toLowerCase() !== 'close';
      return !head.keepAlive ? true : value.toLowerCase() === 'keep-alive';
    },
  ],
  [
    'content-length',
    (head, value) => {
      head.contentLength = Number(value);
      return contentLengthForm.test(value);
    },
  ],
]);

/**
 * Reads a request's head, `text` up to and with the CRLF of its last header line. Null when anything in it is not
 * of the plainest form: then node:http reads the request, and refuses it or not. So nothing is judged here, and
 * whatever two parsers could read differently is left to one.
 */
export function readDirectHead(text: string): DirectHead | null {
  const line = requestLine.exec(text);
  if (line === null) return null;
  const [start, method, target] = line as unknown as [string, string, string];
  if (!methods.has(method)) return null;
  const lines = text.slice(start.length);
  if (!headerLinesForm.test(lines)) return null;
  const head: DirectHead = {
    method,
    target,
    headerLines: lines,
    allHeaderLines: lines,
    special: false,
    host: null,
    contentLength: 0,
    keepAlive: true,
    requestId: undefined,
    forwardedFor: undefined,
    forwardedProto: undefined,
  };
  const seen = new Set<string>();
  let kept = '';
  let keptTo = 0;
  for (let at = 0; at < lines.length;) {
    const end = lines.indexOf('\r\n', at);
    const next = end + 2;
    if (mayBeKnown(lines, at)) {
      const colon = lines.indexOf(':', at);
      const name = lines.slice(at, colon).toLowerCase();
      const use = uses.get(name) ?? (name.startsWith('x-fnrun-') ? 'special' : null);
      if (use === 'node') return null;
      if (use === 'drop') {
        kept += lines.slice(keptTo, at);
        keptTo = next;
      } else if (use === 'special') {
        head.special = true;
      } else if (use !== null) {
        // What has one value only, and is there twice, two programs in a row could read in two ways.
        if (seen.has(name)) return null;
        seen.add(name);
        if (use !== 'once' && !use(head, valueAt(lines, { from: colon + 1, to: end }))) return null;
        if (name === 'connection') {
          kept += lines.slice(keptTo, at);
          keptTo = next;
        }
      }
    }
    at = next;
  }
  if (keptTo > 0) head.headerLines = kept + lines.slice(keptTo);
  return head;
}

/** Whether the name of the line at `at` may be one of `uses`, by its first two letters. */
function mayBeKnown(lines: string, at: number): boolean {
  switch (lines.charCodeAt(at) | 32) {
    case 97: // authorization, and not accept
      return (lines.charCodeAt(at + 1) | 32) === 117;
    case 99: // connection, content-
      return (lines.charCodeAt(at + 1) | 32) === 111 && (lines.charCodeAt(at + 2) | 32) === 110;
    case 101: // expect
    case 104: // host
    case 107: // keep-alive
    case 112: // proxy-connection
    case 116: // te, trailer, transfer-encoding
    case 120: // x-
      return true;
    case 117: // upgrade, and not user-agent
      return (lines.charCodeAt(at + 1) | 32) === 112;
    default:
      return false;
  }
}
