import { STATUS_CODES } from 'node:http';
import { httpLimits } from '../../contract/limits.ts';

/** What the first lines of a response say. */
export interface HeadStart {
  status: number;
  /** Empty: the standard one. */
  statusText: string;
  keepAlive: boolean;
  /** The handler set a Date of its own. */
  hasDate: boolean;
}

const keepAliveLines = `Connection: keep-alive\r\nKeep-Alive: timeout=${httpLimits.keepAliveTimeoutMs / 1000}\r\n`;
const closeLines = 'Connection: close\r\n';

let second = 0;
let dateLine = '';
/** By status, those of kept-alive connections, of this second. */
const starts = new Map<number, string>();

/** Status line, Date and Connection, as node:http writes them. `nowMs` is the wall clock's. */
export function headStart({ status, statusText, keepAlive, hasDate }: HeadStart, nowMs: number): string {
  const now = Math.floor(nowMs / 1000);
  if (now !== second) {
    second = now;
    dateLine = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
    starts.clear();
  }
  if (statusText !== '' || !keepAlive || hasDate) {
    const reason = statusText === '' ? (STATUS_CODES[status] ?? 'unknown') : statusText;
    return `HTTP/1.1 ${status} ${reason}\r\n${hasDate ? '' : dateLine}${keepAlive ? keepAliveLines : closeLines}`;
  }
  let start = starts.get(status);
  if (start === undefined) {
    start = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n${dateLine}${keepAliveLines}`;
    starts.set(status, start);
  }
  return start;
}
