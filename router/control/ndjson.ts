/**
 * Answers with one line of JSON per value, each sent as it comes. The signal that `start` gets
 * aborts when the client is gone. What fails at once (no such app) rejects, and is answered by its
 * own status.
 */
export async function ndjson(
  clientSignal: AbortSignal,
  start: (signal: AbortSignal) => AsyncIterable<unknown>,
  onError: (error: unknown) => void,
): Promise<Response> {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  clientSignal.addEventListener('abort', leave, { once: true });
  if (clientSignal.aborted) leave();
  const values = start(gone.signal)[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let next: Promise<IteratorResult<unknown>> | null = values.next();
  await begun(next);
  const stream = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const result = await (next ?? values.next());
        next = null;
        // Cancelled while it waited: the stream is closed already.
        if (gone.signal.aborted) return;
        if (result.done === true) controller.close();
        else controller.enqueue(encoder.encode(`${JSON.stringify(result.value)}\n`));
      } catch (error) {
        if (gone.signal.aborted) return;
        onError(error);
        controller.error(error);
      }
    },
    cancel: leave,
  });
  return new Response(stream, {
    headers: { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
  });
}

/** Rejects if `first` fails at once. Does not wait for its value: a followed log may be silent for hours. */
async function begun(first: Promise<unknown>): Promise<void> {
  first.catch(() => {});
  await Promise.race([first, new Promise((resolve) => setImmediate(resolve))]);
}
