import type { Socket } from 'node:net';
import { httpLimits } from '../../contract/limits.ts';
import { destroyWhenGone } from '../half-open.ts';
import { handleOf } from '../socket-handle.ts';
import { setReader } from './read-buffer.ts';
import { endsWithHead, readHead } from './read-head.ts';
import type { DirectHead } from './request-head.ts';
import { DirectTransaction } from './transaction.ts';

/** What a connection needs from the server. */
export interface DirectServices {
  /** How long the first request may take to come; node:http times those that come in pieces. */
  headTimeoutMs: number;
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
  /** The first request came: from here on the idle time counts, and no longer the time of the first head. */
  #begun = false;
  #draining = false;
  #leaving = false;
  /** Something was read or answered since `sweep` looked. */
  #active = true;
  #quietSince = 0;
  /** Runs while a client takes the rest of a response slowly, or not. */
  #watch: NodeJS.Timeout | undefined;
  /** The client sends nothing more, and waits for its answers. */
  #halfOpen = false;
  #give: ((socket: Socket) => void) | null = null;

  constructor(socket: Socket, services: DirectServices) {
    this.socket = socket;
    this.#services = services;
    setReader(socket, this.#onRead);
    // Of a socket that was passed by the daemon.
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('error', ignore);
    socket.on('timeout', this.#onTimeout);
    // The first head; node:http does the same for its connections.
    socket.setTimeout(services.headTimeoutMs);
    socket.resume();
  }

  /** The transaction of the request being served. */
  open(head: DirectHead): DirectTransaction {
    if (this.#draining || this.#leaving) head.keepAlive = false;
    if (!this.#begun) {
      this.#begun = true;
      this.socket.setTimeout(0);
    }
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
    if (!this.#reading) this.#giveWhenFree();
  }

  /** Ends the connection now when it is idle, else with its response. */
  drain(): void {
    this.#draining = true;
    if (this.#current === null) this.socket.destroySoon();
    else this.#current.closeAfter();
  }

  /** Ends the connection with its next response, and leaves it open until then: a client that is about to send is answered. */
  leave(): void {
    this.#leaving = true;
    if (this.#current?.headSent === false) this.#current.closeAfter();
  }

  /**
   * Ends the connection when nothing has come or gone for `keepAliveTimeoutMs` at `now`. To be called from time to time: a
   * timer of each socket, which node sets back with every read and write, costs a fortieth of a request.
   */
  sweep(now: number): void {
    if (!this.#begun) return;
    if (this.#active) {
      this.#active = false;
      this.#quietSince = now;
    } else if (now - this.#quietSince >= httpLimits.keepAliveTimeoutMs) {
      if (this.socket.writableLength === 0) this.#onTimeout();
      else if (this.#watch === undefined) this.cutWhenIdle(httpLimits.keepAliveTimeoutMs);
    }
  }

  /** Ends the connection when the client takes nothing of a response for `ms`, or up to twice as long, whatever it sends. */
  cutWhenIdle(ms: number): void {
    this.#unwatch();
    const waiting = (): number => handleOf(this.socket)?.writeQueueSize ?? 0;
    let before = waiting();
    this.#watch = setInterval(() => {
      const now = waiting();
      if (now === before) this.#onTimeout();
      before = now;
    }, ms);
  }

  #unwatch(): void {
    if (this.#watch === undefined) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  /** The transaction is over: the next request may be read. */
  finished({ keepAlive }: { keepAlive: boolean }): void {
    const { socket } = this;
    this.#current = null;
    this.#active = true;
    this.#unwatch();
    if (socket.destroyed) return;
    if (!keepAlive || this.#draining) {
      socket.destroySoon();
      return;
    }
    if (!this.#reading) this.#proceed();
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

  #onData = (chunk: Buffer): void => this.#onRead(chunk, chunk.length);

  #onRead = (bytes: Buffer, length: number): void => {
    const current = this.#current;
    this.#active = true;
    if (current === null) {
      // Behind a response that said `Connection: close` there is no request.
      if (!this.socket.writable || !this.#readOne(bytes, length)) return;
    } else {
      this.#reading = true;
      const rest = current.body.feed(bytes.subarray(0, length));
      if (rest !== null) this.#keepEarly(rest);
      this.#reading = false;
    }
    // It may be over already: answered at once, or only waiting for the end of its upload.
    if (this.#current === null) this.#proceed();
  };

  /** Pipelined requests wait for their turn; nothing more is read meanwhile. */
  #keepEarly(chunk: Buffer): void {
    this.#early = this.#early === null ? Buffer.from(chunk) : Buffer.concat([this.#early, chunk]);
    this.pause();
  }

  /** What comes after a transaction. In a loop, and not by recursion: a client may send thousands of requests at once. */
  #proceed(): void {
    while (this.#early !== null && this.#current === null && this.socket.writable) {
      const chunk = this.#early;
      this.#early = null;
      if (!this.#readOne(chunk, chunk.length)) return;
    }
    if (this.#early !== null) return;
    if (this.#halfOpen) {
      this.#endBehindCurrent();
      return;
    }
    this.#giveWhenFree();
    this.resume();
  }

  /** Reads one request; what follows it is kept. False when the connection was handed over. */
  #readOne(bytes: Buffer, length: number): boolean {
    // Mostly a head is all that came, and its end need not be looked for: an empty line within is none of a head's.
    let end = endsWithHead(bytes, length) ? length - 4 : -1;
    let head = end < 0 ? null : readHead(bytes, end);
    if (head === null) {
      const first = bytes.subarray(0, length).indexOf(headEnd);
      if (first !== end) head = readHead(bytes, first);
      end = first;
    }
    if (head === null) return this.#handOver(bytes.subarray(0, length));
    this.#reading = true;
    this.#behind = end + 4 < length ? bytes.subarray(end + 4, length) : null;
    const served = this.#services.serve(head, this);
    this.#behind = null;
    this.#reading = false;
    return served || this.#handOver(bytes.subarray(0, length));
  }

  #handOver(chunk: Buffer): boolean {
    const { socket } = this;
    if (this.#halfOpen) {
      // Its end has been read: nobody can read from it any more.
      socket.destroySoon();
      return false;
    }
    socket.pause();
    this.#leave();
    socket.unshift(Buffer.from(chunk));
    this.#services.handOver(socket);
    return false;
  }

  #giveWhenFree(): void {
    const give = this.#give;
    if (give === null || this.#current !== null) return;
    const { socket } = this;
    // What was read already is answered here.
    if (this.#early !== null || socket.readableLength > 0 || !socket.writable) return;
    this.#give = null;
    this.#leave();
    give(socket);
  }

  #leave(): void {
    const { socket } = this;
    // Not 'error': nobody else may listen to it while the connection is on its way.
    socket
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('close', this.#onClose)
      .off('timeout', this.#onTimeout);
    setReader(socket, null);
    socket.setTimeout(0);
    this.#paused = false;
    this.#services.onClosed(this);
  }

  #onEnd = (): void => {
    // Where it is not allowed Node ends our side too.
    if (!this.socket.allowHalfOpen) return;
    this.#halfOpen = true;
    this.#endBehindCurrent();
    destroyWhenGone(this.socket);
  };

  /** The client sends nothing more: what it has sent in full is answered, then the connection ends. */
  #endBehindCurrent(): void {
    const current = this.#current;
    if (current === null || !current.body.complete) this.socket.destroySoon();
    else if (this.#early === null) current.closeAfter();
  }

  #onTimeout = (): void => {
    // A request under way has deadlines of its own; a response that the client does not take may have none.
    if (this.#current === null || this.#current.ended) this.socket.destroy();
  };

  #onClose = (): void => {
    this.#unwatch();
    this.#services.onClosed(this);
    this.#current?.onGone();
    this.#current = null;
  };
}

// An error is followed by 'close'.
function ignore(): void {}
