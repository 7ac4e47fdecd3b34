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

/** What a parser of RFC 9112 can read in one way only. A target is checked further by the router. */
const targetForm = /^\/[!-~]*$/;
const version = ' HTTP/1.1';

// Names are tokens; values hold no control characters but the tab, so neither a bare CR nor a bare LF nor a folded line.
const headerLinesForm = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)+$/;

const contentLengthForm = /^\d{1,15}$/;

type Take = (head: DirectHead, value: string) => boolean;

/** What becomes of a header. */
interface Use {
  /** In lower case. */
  name: string;
  /** `node` leaves the request to node:http, `drop` takes the line away, `special` lets the router judge. */
  how: 'node' | 'drop' | 'special' | 'keep';
  /** Its place among those that may be there once only: what two programs in a row could read in two ways; 0: may be repeated. */
  bit: number;
  /** Keeps the value, and says false when it is none that can be read here. */
  take: Take | null;
}

const repeated = (how: Use['how'], ...names: string[]): Use[] =>
  names.map((name) => ({ name, how, bit: 0, take: null }));

/** Headers that decide how a request is read, who sent it, or which are about the connection. The rest is for the handler. */
const uses: readonly Use[] = [
  ...repeated('node', 'transfer-encoding', 'expect', 'upgrade'),
  ...repeated('drop', 'keep-alive', 'proxy-connection', 'te', 'trailer'),
  { name: 'content-type', how: 'keep', bit: 1, take: null },
  { name: 'authorization', how: 'keep', bit: 2, take: null },
  { name: 'host', how: 'keep', bit: 4, take: (head, value) => ((head.host = value), true) },
  { name: 'x-request-id', how: 'keep', bit: 8, take: (head, value) => ((head.requestId = value), true) },
  { name: 'x-forwarded-for', how: 'keep', bit: 16, take: (head, value) => ((head.forwardedFor = value), true) },
  { name: 'x-forwarded-proto', how: 'keep', bit: 32, take: (head, value) => ((head.forwardedProto = value), true) },
  {
    name: 'connection',
    how: 'drop',
    bit: 64,
    take(head, value) {
      const option = value.toLowerCase();
      head.keepAlive = option !== 'close';
      return !head.keepAlive || option === 'keep-alive';
    },
  },
  {
    name: 'content-length',
    how: 'keep',
    bit: 128,
    take(head, value) {
      head.contentLength = Number(value);
      return contentLengthForm.test(value);
    },
  },
];

const longest = Math.max(...uses.map(({ name }) => name.length));
// No Map: V8 internalizes a string that was just cut out of a text before it looks it up, which takes longer than the rest.
const usesByLength = Array.from({ length: longest + 1 }, (_, length) =>
  uses.filter(({ name }) => name.length === length),
);
const special: Use = { name: 'x-fnrun-', how: 'special', bit: 0, take: null };

/** What becomes of the header whose name is from `at` to `colon`; null: it is for the handler. */
function useOf(lines: string, { at, colon }: { at: number; colon: number }): Use | null {
  for (const use of usesByLength[colon - at] ?? []) if (isAt(lines, at, use.name)) return use;
  return isAt(lines, at, special.name) ? special : null;
}

/** Whether a token in `lines` begins with `lower`, in any case. */
function isAt(lines: string, at: number, lower: string): boolean {
  // Bit 32 makes a letter small, and no other character of a token a letter or a dash.
  for (let i = 0; i < lower.length; i++) if ((lines.charCodeAt(at + i) | 32) !== lower.charCodeAt(i)) return false;
  return true;
}

/** The method as a constant, which V8 compares and finds faster than a piece of a text; null: node:http knows more of them. */
function methodOf(text: string): string | null {
  switch (text) {
    case 'GET':
      return 'GET';
    case 'HEAD':
      return 'HEAD';
    case 'POST':
      return 'POST';
    case 'PUT':
      return 'PUT';
    case 'DELETE':
      return 'DELETE';
    case 'PATCH':
      return 'PATCH';
    case 'OPTIONS':
      return 'OPTIONS';
    default:
      return null;
  }
}

/**
 * Reads a request's head, `text` up to and with the CRLF of its last header line. Null when anything in it is not
 * of the plainest form: then node:http reads the request, and refuses it or not. So nothing is judged here, and
 * whatever two parsers could read differently is left to one.
 */
export function readDirectHead(text: string): DirectHead | null {
  const space = text.indexOf(' ');
  const first = text.indexOf('\r\n');
  const targetEnd = first - version.length;
  if (space < 0 || targetEnd <= space || !text.startsWith(version, targetEnd)) return null;
  const method = methodOf(text.slice(0, space));
  const target = text.slice(space + 1, targetEnd);
  if (method === null || !targetForm.test(target)) return null;
  const lines = text.slice(first + 2);
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
  return readLines(lines, head) ? head : null;
}

/** Reads the header lines into `head`; false when they are not plain. */
function readLines(lines: string, head: DirectHead): boolean {
  let seen = 0;
  let kept = '';
  let keptTo = 0;
  for (let at = 0; at < lines.length;) {
    const end = lines.indexOf('\r\n', at);
    const next = end + 2;
    if (mayBeKnown(lines, at)) {
      const colon = lines.indexOf(':', at);
      const use = useOf(lines, { at, colon });
      if (use !== null) {
        const { how, bit, take } = use;
        if (how === 'node' || (seen & bit) !== 0) return false;
        seen |= bit;
        if (how === 'special') head.special = true;
        if (take !== null && !take(head, valueAt(lines, { from: colon + 1, to: end }))) return false;
        if (how === 'drop') {
          kept += lines.slice(keptTo, at);
          keptTo = next;
        }
      }
    }
    at = next;
  }
  if (keptTo > 0) head.headerLines = kept + lines.slice(keptTo);
  return true;
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
