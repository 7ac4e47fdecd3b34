/** The same handler as fnrun's, on the main thread of one process: no isolation at all. */
import { serve } from '@hono/node-server';
import handler from '../fixtures/json/functions/index.ts';

const server = serve({ fetch: () => handler(), hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  console.log(`http://127.0.0.1:${port}/`);
});
process.stdin.on('end', () => process.exit(server.listening ? 0 : 1)).resume();
