import { httpLimits } from '../contract/limits.ts';
import { joined } from './fetch/body.ts';
import type { BodySource } from './invocation.ts';

/** What arrives chunk by chunk. One of its methods may be called, once. */
export interface ArrivingBody {
  open(): ReadableStream<Uint8Array>;
  /** All of it, without the promises and copies of a stream. Rejects when it ends early. */
  collect(): Promise<Uint8Array<ArrayBuffer>>;
}

/** A streamed request body: chunks pushed by the host on one side, the handler's on the other. */
export interface StreamedBody {
  source: BodySource;
  body: ArrivingBody;
}

/**
 * Bridges the channel to a stream. `grant` tells the host how many more bytes it may send;
 * it is called as the handler reads, so an unread body holds at most one window.
 */
export function createStreamedBody({ grant }: { grant: (bytes: number) => void }): StreamedBody {
  const queue: Uint8Array[] = [];
  let ended = false;
  let failure: Error | null = null;
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  let wanted = false;

  const taken = (chunk: Uint8Array): void => grant(chunk.byteLength + httpLimits.chunkOverheadBytes);

  const serve = (): void => {
    if (controller === null || !wanted) return;
    const chunk = queue.shift();
    if (chunk !== undefined) {
      wanted = false;
      taken(chunk);
      controller.enqueue(chunk);
    } else if (failure !== null) {
      controller.error(failure);
      controller = null;
    } else if (ended) {
      controller.close();
      controller = null;
    }
  };

  const source: BodySource = {
    push(chunk) {
      if (chunk === null) ended = true;
      else queue.push(chunk);
      serve();
    },
    fail(message) {
      failure ??= new TypeError(message);
      // Whatever waits now shall fail now; a pull that comes later finds the failure.
      serve();
    },
  };

  const open = (): ReadableStream<Uint8Array> =>
    new ReadableStream<Uint8Array>(
      {
        type: undefined,
        start(own) {
          controller = own;
        },
        pull() {
          wanted = true;
          serve();
        },
        cancel() {
          controller = null;
          for (const chunk of queue.splice(0)) taken(chunk);
          // The host may go on sending: a cancelled body is read to its end and thrown away.
          source.push = (chunk) => {
            if (chunk !== null) taken(chunk);
          };
        },
      },
      { highWaterMark: 0 },
    );

  const collect = (): Promise<Uint8Array<ArrayBuffer>> =>
    collected(source, { chunks: queue.splice(0), ended, failure, taken });
  return { source, body: { open, collect } };
}

/** What has arrived, and all that will. */
function collected(
  source: BodySource,
  {
    chunks,
    ended,
    failure,
    taken,
  }: { chunks: Uint8Array[]; ended: boolean; failure: Error | null; taken: (chunk: Uint8Array) => void },
): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    source.push = (chunk) => {
      if (chunk === null) {
        resolve(joined(chunks));
        return;
      }
      chunks.push(chunk);
      taken(chunk);
    };
    source.fail = (message) => {
      reject(new TypeError(message));
      chunks.length = 0;
    };
    for (const chunk of chunks) taken(chunk);
    if (failure !== null) reject(failure);
    else if (ended) resolve(joined(chunks));
  });
}

/** All bytes of a request body, for handlers that take it whole (Lambda events). */
export async function readWholeBody(body: Uint8Array | ArrivingBody | null): Promise<Uint8Array> {
  if (body === null) return new Uint8Array(0);
  return body instanceof Uint8Array ? body : await body.collect();
}
