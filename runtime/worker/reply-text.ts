import { httpLimits } from '../contract/limits.ts';
import type { Reply } from '../channel/frames.ts';
import { responseStart } from '../channel/response-start.ts';

/** A response whose head cannot be sent. */
export class BadHeadError extends Error {}

/** What a response is made of. */
export interface ReplyParts {
  status: number;
  statusText: string;
  /** Lower-case names and values, flat. */
  headers: readonly string[];
  body: null | string | Uint8Array | true;
  requestId: string;
  method: string;
}

// RFC 9110, section 7.6.1: these belong to the connection, which is the host's. The request id is the platform's.
const dropped = new Set([
  // Told from the body.
  'content-length',
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'trailer',
  'te',
  'x-request-id',
]);

/** Names of the dropped headers have these lengths; others are not looked up. */
const droppedLengths = new Set([...dropped].map((name) => name.length));

// RFC 9110, section 5: names are tokens; values hold no control characters but the tab. Each by itself: a value
// that holds a whole further line would be well-formed in a text of several.
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A header that was found fit to be sent. */
interface Field {
  name: string;
  value: string;
  /** Empty: it is not sent as it is. */
  line: string;
}

/** By their places in a response: a function's responses mostly have the headers of the one before. */
const lastFields: Field[] = [];

/** Places that are remembered, and the length of a value that is. */
const fieldsMax = 16;
const fieldCharsMax = 256;

/** A text body up to this size travels with its head, and leaves in one write with it. */
const textBodyCharsMax = 16 * 1024;

const encoder = new TextEncoder();

/** Completes a response: length, request id, without what belongs to the connection. Throws `BadHeadError`. */
export function replyOf({ status, statusText, headers, body, requestId, method }: ReplyParts): Reply {
  let lines = '';
  let length: string | null = null;
  let hasDate = false;
  // The standard's classes see to both, but a handler may return an object that only resembles them.
  if (!Number.isInteger(status) || status < 200 || status > 999) {
    throw new BadHeadError(`the status ${String(status)} cannot be sent`);
  }
  if (statusText !== '' && (typeof statusText !== 'string' || !fieldValue.test(statusText))) {
    throw new BadHeadError(`the status text ${JSON.stringify(statusText)} cannot be sent`);
  }
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    const last = lastFields[i / 2];
    const isLast = last !== undefined && last.value === value && last.name === name;
    lines += isLast ? last.line : fieldOf(name, value, i / 2).line;
    if (name === 'content-length') length = value;
    else if (name === 'date') hasDate = true;
  }
  if (lines.length > httpLimits.responseHeadBytes) {
    throw new BadHeadError(`a response head of more than ${httpLimits.responseHeadBytes} bytes cannot be sent`);
  }
  lines += `x-request-id: ${requestId}\r\n`;

  const start = responseStart({ status, statusText, hasDate });
  const reply: Reply = { status, text: '', body: null, announcedBytes: -1 };
  // Text that is not ASCII, or long, goes as bytes.
  const bytes =
    typeof body === 'string' ? Buffer.byteLength(body) : body instanceof Uint8Array ? body.byteLength : null;
  if (status === 204 || status === 304 || status === 205) {
    // 205 is defined as a response of length zero; 204 must not carry a length at all (RFC 9110, section 8.6).
    if (status === 205) lines += 'content-length: 0\r\n';
    if (status === 304 && isLength(length)) lines += `content-length: ${length}\r\n`;
  } else if (method === 'HEAD') {
    if (bytes !== null) lines += `content-length: ${bytes}\r\n`;
    else if (isLength(length)) lines += `content-length: ${length}\r\n`;
  } else if (bytes !== null) {
    lines += `content-length: ${bytes}\r\n`;
    if (typeof body !== 'string') reply.body = body;
    else if (bytes !== body.length || bytes > textBodyCharsMax) reply.body = encoder.encode(body);
    else {
      reply.text = `${start}${lines}\r\n${body}`;
      return reply;
    }
  } else if (body === null) {
    lines += 'content-length: 0\r\n';
  } else {
    reply.body = true;
    if (isLength(length)) {
      reply.announcedBytes = Number(length);
      lines += `content-length: ${length}\r\n`;
    } else if (isEventStream(headers)) {
      // nginx holds a response back until a buffer is full, unless it is told: events would come in heaps.
      lines += 'x-accel-buffering: no\r\n';
    }
  }
  reply.text = `${start}${lines}\r\n`;
  return reply;
}

/** Throws `BadHeadError`. */
function fieldOf(name: string, value: string, place: number): Field {
  if (!token.test(name) || !fieldValue.test(value)) {
    const shown = `${JSON.stringify(name)} cannot be sent with the value ${JSON.stringify(value)}`;
    throw new BadHeadError(`the header ${shown}`);
  }
  const field = {
    name,
    value,
    line: droppedLengths.has(name.length) && dropped.has(name) ? '' : `${name}: ${value}\r\n`,
  };
  if (place < fieldsMax && value.length <= fieldCharsMax) lastFields[place] = field;
  return field;
}

function isLength(value: string | null): value is string {
  return value !== null && /^\d{1,15}$/.test(value);
}

/** Whether these are the headers of server-sent events, and say nothing about buffering themselves. */
function isEventStream(headers: readonly string[]): boolean {
  let isStream = false;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === 'x-accel-buffering') return false;
    if (headers[i] === 'content-type') isStream = /^text\/event-stream\b/i.test(headers[i + 1]!);
  }
  return isStream;
}
