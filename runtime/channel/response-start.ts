/**
 * The first lines of a response, as node:http writes them. The worker puts them before the rest, so that the host can pass the
 * text to the socket as it came: joining two texts there would copy both once more.
 */
import { httpLimits } from '../contract/limits.ts';
import { reasonPhrases } from './reason-phrases.ts';

/** What the first lines of a response say. */
export interface ResponseStart {
  status: number;
  /** Empty: the standard one. */
  statusText: string;
  /** The handler set a Date of its own. */
  hasDate: boolean;
}

const keepAliveLines = `Connection: keep-alive\r\nKeep-Alive: timeout=${httpLimits.keepAliveTimeoutMs / 1000}\r\n`;
const closeLine = 'Connection: close\r\n';
const chunkedLine = 'Transfer-Encoding: chunked\r\n';
const versionAndStatus = 'HTTP/1.1 200 '.length;

/** As it was before the handler's code came, which may replace the global one. */
const SystemDate = Date;

let second = 0;
let dateLine = '';
/** By status, of this second. */
const starts = new Map<number, string>();

/** Status line, Date, and Connection of a connection that goes on. `nowMs` is the wall clock's. */
export function responseStart(
  { status, statusText, hasDate }: ResponseStart,
  nowMs: number = SystemDate.now(),
): string {
  const now = Math.floor(nowMs / 1000);
  if (now !== second) {
    second = now;
    dateLine = `Date: ${new SystemDate(now * 1000).toUTCString()}\r\n`;
    starts.clear();
  }
  if (statusText !== '' || hasDate) {
    const reason = statusText === '' ? (reasonPhrases[status] ?? 'unknown') : statusText;
    return `HTTP/1.1 ${status} ${reason}\r\n${hasDate ? '' : dateLine}${keepAliveLines}`;
  }
  let start = starts.get(status);
  if (start === undefined) {
    start = `HTTP/1.1 ${status} ${reasonPhrases[status] ?? 'unknown'}\r\n${dateLine}${keepAliveLines}`;
    starts.set(status, start);
  }
  return start;
}

/** A text that begins with `responseStart`, for this connection and this way to frame the body. */
export function framed(text: string, { keepAlive, chunked }: { keepAlive: boolean; chunked: boolean }): string {
  if (keepAlive && !chunked) return text;
  // The first place is ours: before it come a status line and a date.
  const at = text.indexOf(keepAliveLines);
  const lines = (keepAlive ? keepAliveLines : closeLine) + (chunked ? chunkedLine : '');
  return text.slice(0, at) + lines + text.slice(at + keepAliveLines.length);
}

/** The parts of a text that begins with `responseStart`, for who writes the first lines himself. */
export function partsOf(text: string): { reason: string; headerLines: string; content: string } {
  const lines = text.indexOf(keepAliveLines) + keepAliveLines.length;
  // Without a header the empty line follows at once.
  const end = text.startsWith('\r\n', lines) ? lines : text.indexOf('\r\n\r\n', lines) + 2;
  return {
    reason: text.slice(versionAndStatus, text.indexOf('\r\n')),
    headerLines: text.slice(lines, end),
    content: text.slice(end + 2),
  };
}
