/** The same handler as fnrun's, on the main thread of one process: no isolation at all. `hono-node-server.ts MODULE` */
import { pathToFileURL } from 'node:url';
import { serve } from '@hono/node-server';

const module = (await import(pathToFileURL(process.argv[2]!).href)) as {
  default: (request: Request) => Response | Promise<Response>;
};

serve({ fetch: module.default, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  console.log(`http://127.0.0.1:${port}/`);
});
process.stdin.on('end', () => process.exit(0)).resume();
