import type { Socket } from 'node:net';
import { httpLimits } from '../../contract/limits.ts';
import { readDirectHead } from './request-head.ts';
import type { DirectHead } from './request-head.ts';
import { DirectTransaction } from './transaction.ts';

/** What a connection needs from the server. */
export interface DirectServices {
  /**
   * Answers a request; `open` gives the transaction, at most once. False, before that, when the request
   * is for node:http after all.
   */
  serve(head: DirectHead, connection: DirectConnection): boolean;
  /** Gives the connection to node:http, all that was read of it still to be read. */
  handOver(socket: Socket): void;
  onClosed(connection: DirectConnection): void;
}

const headEnd = Buffer.from('\r\n\r\n');

/**
 * One client connection on the direct way: requests of the plainest form are read, and their responses written, on
 * the socket itself, in half of the CPU time that node:http takes. A request of any other form hands the
 * connection over to node:http, with that request still unread.
 */
export class DirectConnection {
  readonly socket: Socket;
  readonly #services: DirectServices;
  #current: DirectTransaction | null = null;
  /** Sent by the client ahead of its turn. */
  #early: Buffer | null = null;
  /** Came with the head that is being read: the start of its body, and what follows. */
  #behind: Buffer | null = null;
  #paused = false;
  #reading = false;
  /** The time between two requests counts, and no longer the one before the first. */
  #idleTimed = false;
  #draining = false;
  #give: ((socket: Socket) => void) | null = null;

  constructor(socket: Socket, services: DirectServices) {
    this.socket = socket;
    this.#services = services;
    socket.on('data', this.#onData);
    socket.on('close', this.#onClose);
    socket.on('error', ignore);
    socket.on('timeout', this.#onTimeout);
    // The first head; node:http does the same for its connections.
    socket.setTimeout(httpLimits.headersTimeoutMs);
    socket.resume();
  }

  /** The transaction of the request being served. */
  open(head: DirectHead): DirectTransaction {
    if (this.#draining) head.keepAlive = false;
    const transaction = new DirectTransaction(head, this);
    this.#current = transaction;
    if (this.#behind !== null) {
      const rest = transaction.body.feed(this.#behind);
      if (rest !== null) this.#keepEarly(rest);
    }
    return transaction;
  }

  /** Gives the connection away between two requests: now when it is idle, else after its response. */
  giveBack(give: (socket: Socket) => void): void {
    this.#give = give;
    this.#giveWhenFree();
  }

  /** Ends the connection now when it is idle, else with its response. */
  drain(): void {
    this.#draining = true;
    if (this.#current === null) this.socket.destroySoon();
    else this.#current.closeAfter();
  }

  /** The transaction is over: the next request may be read. */
  finished({ keepAlive }: { keepAlive: boolean }): void {
    const { socket } = this;
    this.#current = null;
    if (socket.destroyed) return;
    if (!keepAlive || this.#draining) {
      socket.destroySoon();
      return;
    }
    if (!this.#idleTimed) {
      this.#idleTimed = true;
      socket.setTimeout(httpLimits.keepAliveTimeoutMs);
    }
    this.#giveWhenFree();
    if (this.#early !== null && !this.#reading) this.#readEarly();
  }

  pause(): void {
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  #onData = (chunk: Buffer): void => {
    if (this.#current === null) {
      this.#read(chunk);
    } else {
      const rest = this.#current.body.feed(chunk);
      if (rest !== null) this.#keepEarly(rest);
    }
  };

  /** Pipelined requests wait for their turn; nothing more is read meanwhile. */
  #keepEarly(chunk: Buffer): void {
    this.#early = this.#early === null ? chunk : Buffer.concat([this.#early, chunk]);
    this.pause();
  }

  /** In a loop, and not by recursion: a client may send thousands of requests at once. */
  #readEarly(): void {
    while (this.#early !== null && this.#current === null && !this.socket.destroyed) {
      const chunk = this.#early;
      this.#early = null;
      if (!this.#readOne(chunk)) return;
    }
    if (this.#early === null) this.resume();
  }

  #read(chunk: Buffer): void {
    if (this.#readOne(chunk) && this.#early !== null && this.#current === null) this.#readEarly();
  }

  /** Reads one request; what follows it is kept. False when the connection was handed over. */
  #readOne(chunk: Buffer): boolean {
    const end = chunk.indexOf(headEnd);
    const head = end <= 0 || end > httpLimits.headBytes ? null : readDirectHead(chunk.toString('latin1', 0, end + 2));
    if (head === null) return this.#handOver(chunk);
    this.#reading = true;
    this.#behind = end + 4 < chunk.length ? chunk.subarray(end + 4) : null;
    const served = this.#services.serve(head, this);
    this.#behind = null;
    this.#reading = false;
    return served || this.#handOver(chunk);
  }

  #handOver(chunk: Buffer): boolean {
    const { socket } = this;
    this.#leave();
    socket.pause();
    socket.unshift(chunk);
    this.#services.handOver(socket);
    return false;
  }

  #giveWhenFree(): void {
    const give = this.#give;
    // A request that was read already is answered here.
    if (give === null || this.#current !== null || this.#early !== null || this.socket.destroyed) return;
    this.#give = null;
    this.#leave();
    give(this.socket);
  }

  #leave(): void {
    const { socket } = this;
    socket.off('data', this.#onData).off('close', this.#onClose).off('error', ignore).off('timeout', this.#onTimeout);
    socket.setTimeout(0);
    this.#services.onClosed(this);
  }

  #onTimeout = (): void => {
    // A request under way has deadlines of its own.
    if (this.#current === null) this.socket.destroy();
  };

  #onClose = (): void => {
    this.#services.onClosed(this);
    this.#current?.onGone();
    this.#current = null;
  };
}

// An error is followed by 'close'.
function ignore(): void {}
