/** The maintained fork of node-http-proxy as it comes, with kept connections, in front of a unix socket. `httpxy.ts SOCKET` */
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createProxyServer } from 'httpxy';

const agent = new Agent({ keepAlive: true });
const proxy = createProxyServer({ target: { socketPath: process.argv[2]! }, agent, xfwd: true });
const server = createServer({ keepAliveTimeout: 75_000 }, (req, res) => {
  proxy.web(req, res).catch(() => res.destroy());
});
server.listen({ port: 0, host: '127.0.0.1' }, () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
);
process.stdin.on('end', () => process.exit(0)).resume();
