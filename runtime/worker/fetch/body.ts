/** Bodies of requests and responses that no native class stands behind. */
import { Readable } from 'node:stream';

type Stream = ReadableStream<Uint8Array>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A byte stream of one chunk. */
export function streamOf(body: string | Uint8Array): Stream {
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const bytes = bytesOf(body);
      // An enqueued chunk is moved away from whoever holds it.
      if (bytes.byteLength > 0) controller.enqueue(bytes === body ? bytes.slice() : bytes);
      queueMicrotask(() => {
        controller.close();
        controller.byobRequest?.respond(0);
      });
    },
  });
}

export function bytesOf(body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return typeof body === 'string' ? encoder.encode(body) : (body as Uint8Array<ArrayBuffer>);
}

/** UTF-8 as the Fetch standard decodes it: without a byte order mark. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Whether something was read of the stream. */
export function isRead(stream: Stream): boolean {
  return Readable.isDisturbed(stream as never);
}

/** All of a stream. Rejects when it is being read or was, when it fails, and when a chunk is no Uint8Array. */
export async function readAll(stream: Stream): Promise<Uint8Array<ArrayBuffer>> {
  if (stream.locked || isRead(stream)) throw unusable();
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream as AsyncIterable<unknown>) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('Received non-Uint8Array chunk');
    chunks.push(chunk);
  }
  return joined(chunks);
}

/** All chunks in a buffer of their own. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** The error of a body that was read already. */
export function unusable(): TypeError {
  return new TypeError('Body is unusable: Body has already been read');
}
