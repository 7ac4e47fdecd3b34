import { httpLimits } from '../contract/limits.ts';
import { replyFlags, toHost } from '../channel/frames.ts';
import type { Outbox } from '../channel/outbox.ts';
import { adoptResponse, isDecoded } from './fetch/foreign.ts';
import { plainResponse, spendResponse } from './fetch/response.ts';
import type { DatabaseUse, Invocation } from './invocation.ts';
import { BadHeadError, replyOf } from './reply-text.ts';
import type { ReplyParts } from './reply-text.ts';

/** Something that a handler returned and that is no response. */
export class BadResponseError extends Error {}

/** A response whose body failed on its way; the head has left already. */
export class BodyFailedError extends Error {}

/**
 * Sends what a handler returned. Null: all of it was handed to the host, as of nearly every response; else resolves when
 * all of its body was.
 */
export function sendResponse(returned: unknown, invocation: Invocation, outbox: Outbox): Promise<void> | null {
  if (typeof returned !== 'object' || returned === null) throw notAResponse(returned);
  const plain = plainResponse(returned);
  if (plain === null) return sendForeign(returned, { invocation, outbox });
  if (respond(plain, { invocation, outbox })) spendResponse(returned);
  return null;
}

async function sendForeign(
  returned: object,
  { invocation, outbox }: { invocation: Invocation; outbox: Outbox },
): Promise<void> {
  if ((returned as Partial<Response>).bodyUsed === true) {
    throw new BadResponseError(
      'the handler returned a response whose body was read or sent already: make one for each request, or return its clone()',
    );
  }
  const response = returned instanceof Response ? returned : adopted(returned);
  if (response === null) throw notAResponse(returned);
  if (response.status === 0)
    throw new BadResponseError('the handler returned Response.error(), which is a network error and no response');
  if (response.body?.locked) throw new BadResponseError('the handler returned a response whose body is being read');
  const head = { status: response.status, statusText: response.statusText, headers: headersOf(response) };
  const stream = response.body as ReadableStream<Uint8Array> | null;
  if (stream === null) {
    respond({ ...head, body: null }, { invocation, outbox });
  } else if (invocation.method === 'HEAD') {
    respond({ ...head, body: null }, { invocation, outbox });
    await stream.cancel();
  } else {
    await sendStream(stream, head, { invocation, outbox });
  }
}

function adopted(returned: object): Response | null {
  try {
    return adoptResponse(returned);
  } catch (error) {
    throw new BadResponseError(`the handler returned a response that cannot be sent: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Flat. A response that `fetch` made has its body decoded and still the headers of the encoded one: these go. */
function headersOf(response: Response): string[] {
  const flat: string[] = [];
  const decoded = isDecoded(response);
  for (const [given, value] of response.headers) {
    // Lower case in every sound response, but what goes out is judged by name.
    const name = String(given).toLowerCase();
    if (decoded && (name === 'content-encoding' || name === 'content-length')) continue;
    flat.push(name, String(value));
  }
  return flat;
}

interface Head {
  status: number;
  statusText: string;
  headers: string[];
}

/** Returns whether the body is bytes, which belong to the host now. */
function respond(
  { status, statusText, headers, body }: Head & Pick<ReplyParts, 'body'>,
  { invocation, outbox }: { invocation: Invocation; outbox: Outbox },
): boolean {
  if (invocation.aborted) return false;
  const { id, method, requestId } = invocation;
  let reply;
  try {
    const timed = invocation.timed && invocation.database !== null;
    const all = timed ? [...headers, 'server-timing', timingOf(invocation.database!)] : headers;
    reply = replyOf({ status, statusText, headers: all, body, requestId, method });
  } catch (error) {
    throw error instanceof BadHeadError ? new BadResponseError(error.message) : error;
  }
  invocation.responded = true;
  const flags = invocation.waiting > 0 ? replyFlags.pending : 0;
  const bytes = reply.body;
  if (bytes !== null && bytes !== true) outbox.move(bytes);
  outbox.open().push(toHost.respond, id, status, reply.text, bytes, reply.announcedBytes, flags);
  if (bytes === true) outbox.soon();
  else outbox.answered();
  return bytes !== null && bytes === body;
}

/** The value of Server-Timing: what browsers show beside the request. */
function timingOf({ queries, rows, waitMs, queryMs }: DatabaseUse): string {
  return `db;dur=${queryMs.toFixed(1)};desc="${queries} queries, ${rows} rows", wait;dur=${waitMs.toFixed(1)}`;
}

async function sendStream(
  stream: ReadableStream<Uint8Array>,
  head: Head,
  { invocation, outbox }: { invocation: Invocation; outbox: Outbox },
): Promise<void> {
  respond({ ...head, body: true }, { invocation, outbox });
  const reader = stream.getReader();
  const cancelled = (): void =>
    void reader.cancel(new DOMException('The client closed the connection', 'AbortError')).catch(() => {});
  const cancelIfAborted = (): void => {
    if (invocation.aborted) cancelled();
  };
  try {
    for (;;) {
      if (invocation.aborted) break;
      invocation.onCredit = cancelIfAborted;
      const { done, value } = await reader.read();
      if (done) break;
      const chunk: unknown = value;
      if (!(chunk instanceof Uint8Array)) throw new TypeError('a chunk of the response body is no Uint8Array');
      if (chunk.byteLength === 0) continue;
      while (invocation.credit <= 0 && !invocation.aborted) await creditOf(invocation);
      if (invocation.aborted) break;
      invocation.credit -= chunk.byteLength + httpLimits.chunkOverheadBytes;
      outbox.push(toHost.chunk, invocation.id, outbox.bytes(chunk));
    }
  } catch (error) {
    cancelled();
    throw new BodyFailedError('the response body failed', { cause: error });
  } finally {
    invocation.onCredit = null;
  }
  if (invocation.aborted) cancelled();
  else outbox.push(toHost.end, invocation.id, invocation.waiting > 0);
}

function creditOf(invocation: Invocation): Promise<void> {
  return new Promise((resolve) => {
    invocation.onCredit = resolve;
  });
}

function notAResponse(returned: unknown): BadResponseError {
  const what =
    returned === null
      ? 'null'
      : Array.isArray(returned)
        ? 'an array'
        : typeof returned === 'object'
          ? `an object of class ${returned.constructor?.name ?? 'unknown'}`
          : `a value of type ${typeof returned}`;
  return new BadResponseError(`the handler returned ${what} where a Response is due`);
}
