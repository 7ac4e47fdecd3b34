import type { OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Reply } from '../../channel/frames.ts';
import { flatOf, linesOf } from '../../channel/header-lines.ts';
import { framed, responseStart } from '../../channel/response-start.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import { httpLimits } from '../../contract/limits.ts';
import { problemResponse } from '../../../router/problem.ts';
import type { ProblemOptions } from '../../../router/problem.ts';
import { endToEndHeaders } from '../../../router/request-headers.ts';
import { noOwner } from '../transaction.ts';
import type { Transaction } from '../transaction.ts';
import { DirectBody } from './body.ts';
import type { DirectHead } from './request-head.ts';

/** What a transaction needs from its connection. */
export interface DirectLink {
  readonly socket: Socket;
  pause(): void;
  resume(): void;
  cutWhenIdle(ms: number): void;
  /** The transaction is over: the next request may be read, or the connection ends. */
  finished(options: { keepAlive: boolean }): void;
}

const noBytes = Buffer.alloc(0);
/** Bytes up to this size are copied behind their head: one write costs less than two. */
const copiedBytesMax = 4 * 1024;
/** Bytes from which memory is given back by hand. */
const releasedBytesMin = 16 * 1024;

/** A request on the direct way, and the writing of its response. */
export class DirectTransaction implements Transaction {
  readonly method: string;
  readonly body: DirectBody;
  headSent = false;
  owner = noOwner;
  readonly #link: DirectLink;
  readonly #head: DirectHead;
  #keepAlive: boolean;
  #chunked = false;
  #ended = false;
  #closed = false;
  #lingering: NodeJS.Timeout | undefined;
  /** The whole body, on its way, and nobody else's: it came from a worker. */
  #sent: Uint8Array | null = null;

  constructor(head: DirectHead, link: DirectLink) {
    this.method = head.method;
    this.body = new DirectBody(head.contentLength, link);
    this.#keepAlive = head.keepAlive;
    this.#head = head;
    this.#link = link;
  }

  get keepAlive(): boolean {
    return this.#keepAlive;
  }

  /** All of the response is handed to the socket. */
  get ended(): boolean {
    return this.#ended;
  }

  headerLinesFor(requestId: string): string {
    const { headerLines, special, requestId: given } = this.#head;
    if (!special && (given === undefined || given === requestId)) return headerLines;
    return linesOf(endToEndHeaders(flatOf(this.#head.allHeaderLines), requestId));
  }

  /** Who expects to be invited is served by node:http. */
  invite(): void {}

  /** The connection ends with this response, if its head has not left yet. */
  closeAfter(): void {
    this.#keepAlive = false;
  }

  /** The client has gone. */
  onGone(): void {
    clearTimeout(this.#lingering);
    if (this.#closed) return;
    this.#closed = true;
    this.owner.onClosed();
  }

  problem(code: ErrorCode, options: ProblemOptions): void {
    if (this.headSent) {
      if (!this.#ended) this.cut();
      return;
    }
    // What is left of an upload is not read: the connection cannot be used again.
    if (!this.body.complete) this.#keepAlive = false;
    const { status, headers, content } = problemResponse(code, options);
    this.#answer(status, headers, this.method === 'HEAD' ? null : Buffer.from(content));
  }

  answer(status: number, headers: Readonly<Record<string, string>>): void {
    this.#answer(status, headers, null);
  }

  respond(reply: Reply): void {
    if (reply.body instanceof Uint8Array) this.#sent = reply.body;
    this.#send(reply);
  }

  #send(reply: Reply): void {
    const { socket } = this.#link;
    const { body } = reply;
    const text = this.#start(reply);
    if (!(body instanceof Uint8Array)) {
      socket.write(text, 'latin1');
    } else if (body.length <= copiedBytesMax) {
      const bytes = Buffer.allocUnsafe(text.length + body.length);
      bytes.write(text, 'latin1');
      bytes.set(body, text.length);
      socket.write(bytes);
    } else {
      socket.cork();
      socket.write(text, 'latin1');
      socket.write(body);
      socket.uncork();
    }
    this.#finish();
  }

  begin(reply: Reply): void {
    const { socket } = this.#link;
    this.#chunked = reply.announcedBytes === -1;
    const text = this.#start(reply);
    // A chunk that came with the head leaves with it; a head alone leaves at the end of this turn.
    socket.cork();
    socket.write(text, 'latin1');
    process.nextTick(uncork, socket);
  }

  write(bytes: Uint8Array, onTaken: () => void): void {
    const { socket } = this.#link;
    const onWritten = bytes.length < releasedBytesMin ? onTaken : releasing(bytes, onTaken);
    if (!this.#chunked) {
      socket.write(bytes, onWritten);
      return;
    }
    const size = `${bytes.length.toString(16)}\r\n`;
    if (bytes.length <= copiedBytesMax) {
      const framed = Buffer.allocUnsafe(size.length + bytes.length + 2);
      framed.write(size, 'latin1');
      framed.set(bytes, size.length);
      framed.write('\r\n', framed.length - 2, 'latin1');
      socket.write(framed, onTaken);
      return;
    }
    socket.cork();
    socket.write(size, 'latin1');
    socket.write(bytes);
    socket.write('\r\n', 'latin1', onWritten);
    socket.uncork();
  }

  end(): void {
    if (this.#chunked) this.#link.socket.write('0\r\n\r\n', 'latin1');
    this.#finish();
  }

  cut(): void {
    const { socket } = this.#link;
    // A head that waits for its first chunk leaves: without it the client would take the request for one not served, and repeat it.
    while (socket.writableCorked > 0) socket.uncork();
    socket.destroy();
  }

  cutWhenIdle(ms: number): void {
    this.#link.cutWhenIdle(ms);
  }

  #answer(status: number, headers: OutgoingHttpHeaders, body: Uint8Array | null): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
    const start = responseStart({ status, statusText: '', hasDate: false });
    this.#send({ status, text: `${start}${lines.join('')}\r\n`, body, announcedBytes: -1 });
  }

  #start({ text }: Reply): string {
    this.headSent = true;
    return framed(text, { keepAlive: this.#keepAlive, chunked: this.#chunked });
  }

  /** All is handed to the socket: the response is over when the kernel has it. */
  #finish(): void {
    this.#ended = true;
    const { socket } = this.#link;
    if (socket.writableLength === 0) this.#close();
    else socket.write(noBytes, () => this.#close());
  }

  #close(): void {
    if (this.#closed || this.#link.socket.destroyed) return;
    this.#closed = true;
    if (this.#sent !== null) release(this.#sent);
    this.owner.onClosed();
    if (this.body.complete) this.#link.finished({ keepAlive: this.#keepAlive });
    else this.#linger();
  }

  /** The upload goes on, for nobody: closing with unread bytes would reset the connection under the response. */
  #linger(): void {
    const { socket } = this.#link;
    this.body.release();
    this.#lingering = setTimeout(() => socket.destroy(), httpLimits.lingerMs);
    this.body.whenComplete(() => {
      clearTimeout(this.#lingering);
      this.#link.finished({ keepAlive: this.#keepAlive });
    });
  }
}

/**
 * Gives memory back that the kernel has a copy of. V8 would find it in time, but collects its whole heap over and over when much
 * comes in buffers: a third of what a response of 1 MiB cost.
 */
function release(bytes: Uint8Array): void {
  const alone = bytes.length === bytes.buffer.byteLength;
  if (alone && bytes.length >= releasedBytesMin) (bytes.buffer as ArrayBuffer).transfer(0);
}

function releasing(bytes: Uint8Array, onTaken: () => void): (error?: Error | null) => void {
  return (error) => {
    // After an error libuv may still have it.
    if (error === undefined || error === null) release(bytes);
    onTaken();
  };
}

function uncork(socket: Socket): void {
  socket.uncork();
}
