import { request as httpRequest, type Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { within } from './deadline.ts';

/** Where a server listens. */
export type HttpTarget = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/** The target of a URL that a server printed. */
export function targetOf(url: string): Extract<HttpTarget, { port: number }> {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

/** One request. The path goes out as it is, header names and repetitions too. */
export interface HttpRequest {
  /** @default GET */
  method?: string;
  path: string;
  headers?: readonly (readonly [name: string, value: string])[];
  /** Text and bytes get a content-length; an array of chunks and a stream are sent chunked. */
  body?: string | Uint8Array | readonly string[] | Readable;
  /** @default a connection of its own */
  agent?: Agent;
  signal?: AbortSignal;
  /** Until the response is complete. @default 10000 */
  deadlineMs?: number;
}

/** One complete response. */
export interface HttpResponse {
  status: number;
  /** Names in lower case; repeated headers joined with ", ". */
  headers: Record<string, string>;
  /** Each header as it came, names in lower case. */
  headerList: [name: string, value: string][];
  trailers: Record<string, string>;
  body: Buffer;
  text: string;
  /** Parses the body; throws with the text when it is no JSON. */
  readonly json: () => any;
}

/** Sends a request and collects its response. Rejects when the connection fails or at the deadline. */
export function fetchFrom(target: HttpTarget, request: HttpRequest): Promise<HttpResponse> {
  const what = `${request.method ?? 'GET'} ${request.path}`;
  let started: ClientRequest | undefined;
  const answer = (async () => {
    const { message, clientRequest } = await openFrom(target, request, (made) => (started = made));
    started = clientRequest;
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    return responseOf(message, Buffer.concat(chunks));
  })();
  return within(request.deadlineMs ?? 10_000, what, answer).catch((error: unknown) => {
    started?.destroy();
    throw error;
  });
}

/** Sends a request and resolves at the response's head, its body unread. */
export function openFrom(
  target: HttpTarget,
  request: HttpRequest,
  onRequest?: (made: ClientRequest) => void,
): Promise<{ message: IncomingMessage; clientRequest: ClientRequest }> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', path, body, agent, signal } = request;
    const clientRequest = httpRequest({
      ...target,
      method,
      path,
      headers: headArray(target, request) as unknown as Record<string, string>,
      agent: agent ?? false,
      ...(signal === undefined ? {} : { signal }),
    });
    onRequest?.(clientRequest);
    clientRequest.on('error', reject);
    clientRequest.on('response', (message) => resolve({ message, clientRequest }));
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
      clientRequest.end(body);
    } else if (Array.isArray(body)) {
      for (const chunk of body as readonly string[]) clientRequest.write(chunk);
      clientRequest.end();
    } else {
      (body as Readable).pipe(clientRequest);
    }
  });
}

/** Flat [name, value, …], which node:http sends unchanged; Host and the body's framing are added. */
function headArray(target: HttpTarget, { headers = [], body, method = 'GET', agent }: HttpRequest): string[] {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const head = headers.flatMap(([name, value]) => [name, value]);
  if (!names.has('host')) head.unshift('Host', 'host' in target ? `${target.host}:${target.port}` : 'localhost');
  if (!names.has('connection')) head.push('Connection', agent === undefined ? 'close' : 'keep-alive');
  if (names.has('content-length') || names.has('transfer-encoding')) return head;
  if (typeof body === 'string' || body instanceof Uint8Array) {
    head.push('Content-Length', String(Buffer.byteLength(body)));
  } else if (body !== undefined) {
    head.push('Transfer-Encoding', 'chunked');
  } else if (method !== 'GET' && method !== 'HEAD') {
    head.push('Content-Length', '0');
  }
  return head;
}

function responseOf(message: IncomingMessage, body: Buffer): HttpResponse {
  const headerList: [string, string][] = [];
  for (let i = 0; i < message.rawHeaders.length; i += 2) {
    headerList.push([String(message.rawHeaders[i]).toLowerCase(), String(message.rawHeaders[i + 1])]);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of headerList) {
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const text = body.toString();
  const json = () => {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new Error(`status ${message.statusCode}, no JSON: ${text.slice(0, 2_000)}`, { cause });
    }
  };
  const trailers = message.trailers as Record<string, string>;
  return { status: message.statusCode ?? 0, headers, headerList, trailers, body, text, json };
}
