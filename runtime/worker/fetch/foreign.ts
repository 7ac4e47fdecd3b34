/** What responses of every implementation of fetch have: Node's, the npm package undici's, node-fetch's, ponyfills'. */
interface AnyResponse {
  status: number;
  statusText?: string;
  url?: string;
  headers: Iterable<[string, string]> & { get(name: string): string | null };
  body: AsyncIterable<Uint8Array> | string | Uint8Array | null;
}

// The codings that fetch undoes.
const decodedCoding = /^(?:\s*(?:x-gzip|gzip|deflate|br|zstd)\s*(?:,|$))+$/i;

/** Whether the body was decoded by `fetch`, while the headers still tell of the encoded one. */
export function isDecoded({ url = '', headers }: Pick<AnyResponse, 'url' | 'headers'>): boolean {
  return url !== '' && decodedCoding.test(headers.get('content-encoding') ?? '');
}

/**
 * A response of another implementation of fetch, as one of this thread's; null when it is none.
 * Handlers return what their HTTP library gave them, and libraries bring classes of their own.
 */
export function adoptResponse(value: object): Response | null {
  if (!isResponseLike(value)) return null;
  const { status, statusText = '', headers, body, url = '' } = value;
  const list: [string, string][] = [...headers];
  const kept = isDecoded({ url, headers }) ? list.filter(([name]) => !/^content-(encoding|length)$/i.test(name)) : list;
  const stream = typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
  return new Response(stream ? ReadableStream.from(body) : (body as string | null), {
    status,
    statusText,
    headers: kept,
  });
}

function isResponseLike(value: object): value is AnyResponse {
  const { status, headers } = value as Partial<AnyResponse>;
  if (typeof status !== 'number' || !('body' in value) || typeof headers !== 'object' || headers === null) return false;
  return typeof headers.get === 'function' && typeof headers[Symbol.iterator] === 'function';
}
