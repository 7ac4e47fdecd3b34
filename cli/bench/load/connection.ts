import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ResponseReader } from './response-reader.ts';

/** Where requests go: over TCP, TLS or a unix socket. */
export type Address =
  | { socketPath: string }
  | { host: string; port: number; /** TLS with this name. */ servername?: string };

/** How a request ended: with this status, or why it got none. */
export type Outcome = number | 'refused' | 'closed' | 'timeout' | 'malformed';

/** Called once for each request; `reusable` says whether the connection takes another one. */
export type OnEnd = (outcome: Outcome, reusable: boolean) => void;

/** One HTTP/1.1 connection with one request at a time. */
export class LoadConnection {
  readonly #socket: Socket;
  readonly #reader: ResponseReader;
  #onEnd: OnEnd | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closing = false;

  constructor(address: Address, { method }: { method: string }) {
    this.#reader = new ResponseReader({ method });
    this.#socket = open(address);
    this.#socket.on('data', (bytes: Buffer) => this.#read(bytes));
    this.#socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.#end(code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'EAGAIN' ? 'refused' : 'closed', false);
    });
    this.#socket.on('end', () => this.#end(this.#reader.end() ?? 'closed', false));
    this.#socket.on('close', () => this.#end('closed', false));
  }

  get usable(): boolean {
    return !this.#socket.destroyed && !this.#closing;
  }

  /** Sends one request, when the connection is there. */
  send(request: Buffer, { timeoutMs, onEnd }: { timeoutMs: number; onEnd: OnEnd }): void {
    this.#onEnd = onEnd;
    this.#timer = setTimeout(() => this.#end('timeout', false), timeoutMs);
    this.#socket.write(request);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    const reading = this.#reader.read(bytes);
    if (reading === 'more') return;
    if (reading === 'malformed') this.#end('malformed', false);
    else this.#end(reading.status, reading.reusable);
  }

  #end(outcome: Outcome, reusable: boolean): void {
    if (!reusable) this.#closing = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const onEnd = this.#onEnd;
    this.#onEnd = null;
    if (!reusable) this.#socket.destroy();
    onEnd?.(outcome, reusable);
  }
}

function open(address: Address): Socket {
  if ('socketPath' in address) return connectTcp({ path: address.socketPath });
  const { host, port, servername } = address;
  if (servername === undefined) return connectTcp({ host, port, noDelay: true });
  const name = isIP(servername) === 0 ? { servername } : {};
  // Whose certificate it is makes no difference to how fast it answers; a server under test often has its own.
  const socket = connectTls({ host, port, ...name, ALPNProtocols: ['http/1.1'], rejectUnauthorized: false });
  return socket.setNoDelay(true);
}
