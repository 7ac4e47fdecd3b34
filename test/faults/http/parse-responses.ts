/** One response as it came over the wire. */
export interface WireResponse {
  status: number;
  /** Names in lower case; repeated ones joined with ", ". */
  headers: Record<string, string>;
  body: string;
}

/** What a server said on a connection so far. */
export interface WireResponses {
  complete: WireResponse[];
  /** What follows the last complete response: nothing, or a part of the next. */
  rest: string;
}

/** How the bytes are to be read. */
export interface WireOptions {
  /** The requests were HEAD. */
  head: boolean;
  /** The server has closed the connection: a body without a length ends there. */
  ended: boolean;
}

/**
 * Splits the bytes of a connection (one a character) into responses, strictly: what is no response
 * is left in `rest`. No HTTP client is used, since one would hide just what is looked for.
 */
export function parseResponses(text: string, options: WireOptions): WireResponses {
  const complete: WireResponse[] = [];
  let at = 0;
  for (;;) {
    const next = parseOne(text, at, options);
    if (next === null) return { complete, rest: text.slice(at) };
    complete.push(next.response);
    at = next.end;
  }
}

function parseOne(text: string, from: number, { head, ended }: WireOptions) {
  const headEnd = text.indexOf('\r\n\r\n', from);
  if (headEnd === -1) return null;
  const [statusLine = '', ...lines] = text.slice(from, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  if (!Number.isInteger(status)) return null;
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name, value = ''] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined) return null;
    const lower = name.toLowerCase();
    headers[lower] = headers[lower] === undefined ? value : `${headers[lower]}, ${value}`;
  }
  const start = headEnd + 4;
  const without = head || status < 200 || status === 204 || status === 304;
  const body = without ? { body: '', end: start } : bodyAt(text, start, { headers, ended });
  return body === null ? null : { response: { status, headers, body: body.body }, end: body.end };
}

function bodyAt(text: string, start: number, { headers, ended }: { headers: Record<string, string>; ended: boolean }) {
  if (headers['transfer-encoding'] !== undefined) return chunkedAt(text, start);
  const length = headers['content-length'];
  if (length === undefined) return ended ? { body: text.slice(start), end: text.length } : null;
  const end = start + Number(length);
  return /^\d+$/.test(length) && end <= text.length ? { body: text.slice(start, end), end } : null;
}

function chunkedAt(text: string, start: number) {
  let at = start;
  let body = '';
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    const size = lineEnd === -1 ? NaN : Number.parseInt(text.slice(at, lineEnd), 16);
    if (Number.isNaN(size)) return null;
    if (size === 0) {
      return text.startsWith('\r\n', lineEnd + 2) ? { body, end: lineEnd + 4 } : null;
    }
    const dataEnd = lineEnd + 2 + size;
    if (!text.startsWith('\r\n', dataEnd)) return null;
    body += text.slice(lineEnd + 2, dataEnd);
    at = dataEnd + 2;
  }
}
