/** fnrun's gateway in front of one app, in a process of its own as in `fnrun serve`. `gateway.ts SOCKET` */
import { createGateway } from '../../../router/gateway/gateway.ts';

const app = { name: 'app', domains: [], live: true, socketPath: process.argv[2]! };
const gateway = createGateway({ apps: () => [app], version: 'bench' });
const { port } = await gateway.listen({ host: '127.0.0.1', port: 0 });
console.log(`http://127.0.0.1:${port}/`);
process.stdin.on('end', () => process.exit(0)).resume();
