import type { Context } from 'fnrun';

/** GET / */
export default function hello(_request: Request, ctx: Context): Response {
  return new Response(`Hello from ${ctx.app}, release ${ctx.release}.\n`);
}
