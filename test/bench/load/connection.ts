import { connect, type Socket } from 'node:net';

/** How a request ended: with this status, or why it got none. */
export type Outcome = number | 'closed' | 'timeout' | 'malformed';

/** Called once for each request; `reusable` says whether the connection takes another one. */
export type OnEnd = (outcome: Outcome, reusable: boolean) => void;

/**
 * One HTTP/1.1 connection with one request at a time, as cheap as it can be: it reads the status line, `content-length`
 * and `connection`, and counts the body's bytes. A response without a length is no response of these benchmarks.
 */
export class LoadConnection {
  readonly #socket: Socket;
  #onEnd: OnEnd | null = null;
  #timer: NodeJS.Timeout | null = null;
  #head = '';
  #status = 0;
  /** Bytes of the body that are missing; -1 before the head is complete. */
  #missing = -1;
  #closing = false;

  constructor({ host, port }: { host: string; port: number }) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#end('closed', false));
  }

  get usable(): boolean {
    return !this.#socket.destroyed && !this.#closing;
  }

  /** Sends one request, when the connection is there. */
  send(request: string, { timeoutMs, onEnd }: { timeoutMs: number; onEnd: OnEnd }): void {
    this.#onEnd = onEnd;
    this.#missing = -1;
    this.#timer = setTimeout(() => this.#end('timeout', false), timeoutMs);
    this.#socket.write(request, 'latin1');
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    let bytes = chunk.length;
    if (this.#missing < 0) {
      const before = this.#head.length;
      this.#head += chunk.toString('latin1');
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#head.slice(0, end + 2);
      bytes -= end + 4 - before;
      this.#head = '';
      const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1];
      this.#status = Number(head.slice(9, 12));
      this.#closing = /\r\nconnection: *close\r\n/i.test(head);
      if (length === undefined || Number.isNaN(this.#status)) return this.#end('malformed', false);
      this.#missing = Number(length);
    }
    this.#missing -= bytes;
    if (this.#missing === 0) this.#end(this.#status, !this.#closing);
    // More than was announced, or more than was asked for.
    else if (this.#missing < 0) this.#end('malformed', false);
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
