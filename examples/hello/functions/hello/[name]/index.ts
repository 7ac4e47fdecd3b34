import type { Context } from 'fnrun';

/** GET /hello/:name */
export default async function greet(request: Request, ctx: Context): Promise<Response> {
  const { name } = await ctx.params;
  ctx.log.info('greeting', { name });
  return Response.json({ hello: name, method: request.method, requestId: ctx.requestId });
}
