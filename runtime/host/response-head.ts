import type { FrameBody } from '../channel/frames.ts';

/** What a handler's head becomes on the wire. */
export interface ResponseHead {
  /** Flat, ready for writeHead. */
  headers: string[];
  /** Bytes the body must have; null when a stream does not say. */
  announcedBytes: number | null;
  /** HEAD, 204, 205 and 304: no byte of a body may follow. */
  withoutBody: boolean;
  /** A value has characters of Latin-1 beyond ASCII. */
  latin1: boolean;
}

// RFC 9110, section 7.6.1: these belong to the connection, which is ours. The request id is the platform's.
const dropped = new Set([
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

const beyondAscii = /[\x80-\xff]/;

/** Completes a head: length, request id, without what belongs to the connection. Pure. */
export function headOf(response: {
  status: number;
  headers: readonly string[];
  body: FrameBody;
  requestId: string;
  method: string;
}): ResponseHead {
  const { status, body, method } = response;
  const headers: string[] = [];
  let length: string | null = null;
  let latin1 = false;
  for (let i = 0; i < response.headers.length; i += 2) {
    const name = response.headers[i]!;
    const value = response.headers[i + 1]!;
    if (!latin1 && beyondAscii.test(value)) latin1 = true;
    if (name === 'content-length') length = value;
    else if (!droppedLengths.has(name.length) || !dropped.has(name)) headers.push(name, value);
  }
  headers.push('x-request-id', response.requestId);
  const empty = status === 204 || status === 304 || status === 205;
  if (empty) {
    // 205 is defined as a response of length zero; 204 must not carry a length at all (RFC 9110, section 8.6).
    if (status === 205) headers.push('content-length', '0');
    if (status === 304 && length !== null) headers.push('content-length', length);
    return { headers, announcedBytes: null, withoutBody: true, latin1 };
  }
  if (method === 'HEAD') {
    const known = sizeOf(body) ?? length;
    if (body !== null && known !== null) headers.push('content-length', String(known));
    else if (length !== null) headers.push('content-length', length);
    return { headers, announcedBytes: null, withoutBody: true, latin1 };
  }
  const size = sizeOf(body);
  if (size !== null) {
    headers.push('content-length', String(size));
    return { headers, announcedBytes: null, withoutBody: false, latin1 };
  }
  const announced = length !== null && /^\d+$/.test(length) ? Number(length) : null;
  if (announced !== null) headers.push('content-length', String(announced));
  return { headers, announcedBytes: announced, withoutBody: false, latin1 };
}

/** Bytes of a body that is there in full; null for a stream. */
function sizeOf(body: FrameBody): number | null {
  if (body === null) return 0;
  if (body === true) return null;
  return typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
}
