/** One response as it came on a connection, its framing undone. */
export interface ReadResponse {
  status: number;
  reason: string;
  /** Names in lower case, in the order of the alphabet. */
  headers: [name: string, value: string][];
  body: Buffer;
}

/** The first response in `bytes` and how many they are; null when it is not all there. `toHead`: it answers HEAD. Throws when it is none. */
export function readResponse(bytes: Buffer, toHead: boolean): { response: ReadResponse; length: number } | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const start = /^HTTP\/1\.1 (\d{3}) ([^\r\n]*)$/.exec(first);
  if (start === null) throw new Error(`this is no status line: ${JSON.stringify(first)}`);
  const headers = lines.map((line): [string, string] => {
    const parts = /^([\w!#$%&'*+.^`|~-]+): ?([^\r\n]*)$/.exec(line);
    if (parts === null) throw new Error(`this is no header line: ${JSON.stringify(line)}`);
    return [parts[1]!.toLowerCase(), parts[2]!];
  });
  headers.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const status = Number(start[1]);
  const framed = readBody(bytes.subarray(end + 4), { headers, empty: toHead || status === 204 || status === 304 });
  if (framed === null) return null;
  return { response: { status, reason: start[2]!, headers, body: framed.body }, length: end + 4 + framed.length };
}

function readBody(
  bytes: Buffer,
  { headers, empty }: { headers: [string, string][]; empty: boolean },
): { body: Buffer; length: number } | null {
  const framing = headers.filter(([name]) => name === 'content-length' || name === 'transfer-encoding');
  if (framing.length > 1) throw new Error(`the length is told twice: ${JSON.stringify(framing)}`);
  if (empty) return { body: Buffer.alloc(0), length: 0 };
  const [told] = framing;
  if (told === undefined) throw new Error('the length is not told');
  if (told[0] === 'transfer-encoding') return readChunks(bytes);
  const length = Number(told[1]);
  return bytes.length < length ? null : { body: bytes.subarray(0, length), length };
}

function readChunks(bytes: Buffer): { body: Buffer; length: number } | null {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const line = bytes.toString('latin1', at, lineEnd);
    if (!/^[\da-f]+$/.test(line)) throw new Error(`this is no length of a chunk: ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    const next = lineEnd + 2 + size;
    if (bytes.length < next + 2) return null;
    if (bytes.toString('latin1', next, next + 2) !== '\r\n') throw new Error('a chunk is longer than it says');
    if (size === 0) return { body: Buffer.concat(chunks), length: next + 2 };
    chunks.push(bytes.subarray(lineEnd + 2, next));
    at = next + 2;
  }
}
