const greeting = new URLPattern({ pathname: '/greet/:name' });

/** A Workers-style module in functions/ owns the whole site. */
export default {
  async fetch(request, env, ctx) {
    const url = new URL(request.url);
    const match = greeting.exec(url);
    if (match !== null) {
      ctx.waitUntil(remember(match.pathname.groups.name));
      return Response.json({ greeting: `${env.GREETING ?? 'Hello'}, ${match.pathname.groups.name}` });
    }
    if (url.pathname === '/') return new Response('Try /greet/ada\n');
    return new Response('Not here\n', { status: 404 });
  },
};

/** Runs after the response: the worker stays until it is done. */
async function remember(name) {
  await Promise.resolve();
  console.log(`greeted ${name}`);
}
