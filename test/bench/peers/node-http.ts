/** The floor: a bare node:http server with the handler's work written into it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer({ noDelay: true }, (_req, res) => {
  const body = JSON.stringify({ message: 'hello', items: [1, 2, 3] });
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
process.stdin.on('end', () => process.exit(0)).resume();
