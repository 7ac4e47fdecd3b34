import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';
import { within } from './deadline.ts';
import type { HttpTarget } from './http.ts';

/** A connected WebSocket client, whose messages are kept until they are asked for. */
export interface SocketClient {
  readonly ws: WebSocket;
  /** Headers of the handshake's response. */
  readonly headers: IncomingMessage['headers'];
  /** The next message: text as a string, bytes as they are. */
  next(): Promise<string | Buffer>;
  /** How the socket was closed. */
  readonly closed: Promise<{ code: number; reason: string }>;
}

export interface SocketClientOptions extends ClientOptions {
  protocols?: string[];
  /** For each wait. @default 10000 */
  deadlineMs?: number;
}

/** Connects; rejects when the upgrade is refused. The client ends with the test. */
export async function openSocket(
  target: HttpTarget,
  path: string,
  options: SocketClientOptions = {},
): Promise<SocketClient> {
  const { protocols = [], deadlineMs = 10_000, ...rest } = options;
  const ws = new WebSocket(urlOf(target, path), protocols, { perMessageDeflate: false, ...rest });
  endWithTest(ws);
  const messages: (string | Buffer)[] = [];
  const waiting: ((message: string | Buffer) => void)[] = [];
  ws.on('message', (data, isBinary) => {
    const message = isBinary ? (data as Buffer) : (data as Buffer).toString();
    const taker = waiting.shift();
    if (taker === undefined) messages.push(message);
    else taker(message);
  });
  const closed = once(ws, 'close').then(([code, reason]) => ({ code: code as number, reason: String(reason) }));
  closed.catch(() => {});
  let headers: IncomingMessage['headers'] = {};
  ws.on('upgrade', (response) => (headers = response.headers));
  await within(deadlineMs, `opening ${path}`, once(ws, 'open'));
  ws.on('error', () => {});
  return {
    ws,
    headers,
    get closed() {
      return within(deadlineMs, `the close of ${path}`, closed);
    },
    next: () => {
      const kept = messages.shift();
      if (kept !== undefined) return Promise.resolve(kept);
      return within(deadlineMs, `a message of ${path}`, new Promise((resolve) => waiting.push(resolve)));
    },
  };
}

/** The answer to an upgrade that is refused. */
export interface SocketRefusal {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
}

/** Asks for a WebSocket that must be refused; rejects when it opens. */
export async function refusedSocket(
  target: HttpTarget,
  path: string,
  options: SocketClientOptions = {},
): Promise<SocketRefusal> {
  const { protocols = [], deadlineMs = 10_000, ...rest } = options;
  const ws = new WebSocket(urlOf(target, path), protocols, { perMessageDeflate: false, ...rest });
  endWithTest(ws);
  const answer = new Promise<SocketRefusal>((resolve, reject) => {
    ws.on('open', () => reject(new Error(`${path} was opened`)));
    ws.on('unexpected-response', (_request, response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, text: Buffer.concat(chunks).toString() });
      });
      response.on('error', reject);
    });
  });
  return within(deadlineMs, `the refusal of ${path}`, answer);
}

function endWithTest(ws: WebSocket): void {
  onTestFinished(() => {
    // One that is not connected yet says so when it is ended.
    ws.on('error', () => {});
    ws.terminate();
  });
}

function urlOf(target: HttpTarget, path: string): string {
  if ('socketPath' in target) return `ws+unix://${target.socketPath}:${path}`;
  return `ws://${target.host}:${target.port}${path}`;
}
