/**
 * The floor: a bare node:http server with each handler's work written into it.
 * `node-http.ts FIXTURE [--socket PATH]`
 */
import { chmod } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable, pipeline } from 'node:stream';
import { parseArgs } from 'node:util';
import { work } from '../fixtures/cpu/work.ts';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { socket: { type: 'string' } } });

function sendJson(res: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
}

const bytes = Buffer.alloc(1024 * 1024, 'a');
const chunk = Buffer.alloc(1024, 'a');

const handlers: Record<string, (req: IncomingMessage, res: ServerResponse) => void> = {
  json: (_req, res) => sendJson(res, { message: 'hello', items: [1, 2, 3] }),
  cpu: (_req, res) => sendJson(res, { hash: work() }),
  echo(req, res) {
    const chunks: Buffer[] = [];
    req.on('data', (part: Buffer) => chunks.push(part));
    req.on('end', () => {
      const body = Buffer.concat(chunks);
      res.writeHead(200, { 'content-length': body.length });
      res.end(body);
    });
  },
  bytes(_req, res) {
    res.writeHead(200, { 'content-length': bytes.length });
    res.end(bytes);
  },
  stream(_req, res) {
    let left = 16;
    const body = new Readable({ read: () => void body.push(left-- > 0 ? chunk : null) });
    pipeline(body, res, () => {});
  },
};

const server = createServer({ noDelay: true, keepAliveTimeout: 75_000 }, handlers[positionals[0] ?? 'json']);
const { socket } = values;
if (socket === undefined) {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
    console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
  );
} else {
  // The workers of nginx run as somebody else.
  server.listen({ path: socket, backlog: 4096 }, () => void chmod(socket, 0o666).then(() => console.log(socket)));
}
process.stdin.on('end', () => process.exit(0)).resume();
