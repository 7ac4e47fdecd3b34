import { setInterval } from 'node:timers/promises';
import type { Config, Context } from 'fnrun';

// A stream ends at the function's timeout; EventSource then connects again by itself.
export const config = { timeoutMs: 300_000 } satisfies Config;

/** GET /clock?every=1000: the time as server-sent events. */
export function GET(request: Request, ctx: Context): Response {
  const every = Number(new URL(request.url).searchParams.get('every') ?? 1_000);
  return new Response(ReadableStream.from(ticks(Math.max(10, every), ctx)), {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
  });
}

async function* ticks(everyMs: number, ctx: Context): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let id = 0;
  try {
    // The signal aborts when the client goes away: the timer ends with it.
    for await (const _ of setInterval(everyMs, undefined, { signal: ctx.signal })) {
      yield encoder.encode(`id: ${++id}\ndata: ${new Date().toISOString()}\n\n`);
    }
  } catch (error) {
    if (!ctx.signal.aborted) throw error;
  } finally {
    ctx.log.info('stream ended', { ticks: id });
  }
}
