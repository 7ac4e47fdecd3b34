import type { Config, Context } from 'fnrun';

// Notes live in the worker's memory, so there is one worker. Something lasting would use a database.
export const config = { maxWorkers: 1, maxBodyBytes: 64 * 1024 } satisfies Config;
const notes = new Map<string, string>();

export function GET(_request: Request, ctx: Context): Response {
  const note = notes.get(idOf(ctx));
  return note === undefined ? new Response('No such note\n', { status: 404 }) : new Response(note);
}

export async function PUT(request: Request, ctx: Context): Promise<Response> {
  const created = !notes.has(idOf(ctx));
  notes.set(idOf(ctx), await request.text());
  return new Response(null, { status: created ? 201 : 204 });
}

export function DELETE(_request: Request, ctx: Context): Response {
  return new Response(null, { status: notes.delete(idOf(ctx)) ? 204 : 404 });
}

function idOf(ctx: Context): string {
  return String(ctx.params['id']);
}
