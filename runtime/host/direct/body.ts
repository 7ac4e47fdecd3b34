import type { FrameBody } from '../../channel/frames.ts';
import { httpLimits } from '../../contract/limits.ts';
import type { IncomingBody } from '../transaction.ts';

/** The body of a request on the direct way: of declared length, collected when small, else streamed with credit. */
export class DirectBody implements IncomingBody {
  readonly #length: number;
  readonly #link: { pause(): void; resume(): void };
  #left: number;
  #inline: FrameBody = null;
  #collected: Uint8Array | null = null;
  #onReady: () => void = ignore;
  #onChunk: ((bytes: Uint8Array | null) => void) | null = null;
  #window: number = httpLimits.streamWindowBytes;
  /** Came before the stream was asked for. */
  #first: Buffer | null = null;
  #released = false;
  #onComplete: () => void = ignore;

  /** `length`: bytes of the body, as declared. */
  constructor(length: number, link: { pause(): void; resume(): void }) {
    this.#length = length;
    this.#link = link;
    this.#left = length;
  }

  get empty(): boolean {
    return this.#length === 0;
  }

  get complete(): boolean {
    return this.#left === 0;
  }

  get awaited(): boolean {
    return this.#left > 0 && this.#window > 0;
  }

  get inline(): FrameBody {
    return this.#inline;
  }

  open({ maxBytes, onReady, onTooLarge }: { maxBytes: number; onReady: () => void; onTooLarge: () => void }): void {
    const length = this.#length;
    if (length > maxBytes) {
      onTooLarge();
    } else if (length > httpLimits.inlineBodyBytes) {
      this.#inline = true;
      onReady();
    } else if (length > 0) {
      this.#onReady = onReady;
      this.#collect();
    } else {
      onReady();
    }
  }

  stream({ onChunk }: { onChunk: (bytes: Uint8Array | null) => void }): void {
    this.#onChunk = onChunk;
    const first = this.#first;
    this.#first = null;
    if (first === null) return;
    this.#window += first.length;
    this.#pass(first);
  }

  grant(bytes: number): void {
    const before = this.#window;
    this.#window += bytes;
    if (before <= 0 && this.#window > 0) this.#link.resume();
  }

  release(): void {
    this.#released = true;
    this.#first = null;
    if (this.#left > 0 && this.#window <= 0) this.#link.resume();
  }

  /** Calls back when the last byte has come; at once when it has. */
  whenComplete(callback: () => void): void {
    if (this.#left === 0) callback();
    else this.#onComplete = callback;
  }

  /** Takes what belongs to the body, by copy; returns what comes after it. */
  feed(chunk: Buffer): Buffer | null {
    if (this.#left === 0) return chunk;
    const own = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
    const rest = own.length < chunk.length ? chunk.subarray(own.length) : null;
    const at = this.#length - this.#left;
    this.#left -= own.length;
    if (this.#collected !== null) {
      this.#collected.set(own, at);
      if (this.#left === 0 && !this.#released) this.#ready();
    } else if (!this.#released) {
      if (this.#onChunk === null) this.#hold(own);
      else this.#pass(own);
    }
    if (this.#left === 0) this.#onComplete();
    return rest;
  }

  #collect(): void {
    const first = this.#first;
    this.#first = null;
    this.#window = httpLimits.streamWindowBytes;
    this.#collected = new Uint8Array(this.#length);
    if (first !== null) this.#collected.set(first);
    if (this.#left === 0) this.#ready();
  }

  #ready(): void {
    this.#inline = this.#collected;
    this.#onReady();
  }

  /** Until a worker is there: no more than one read of the socket is held. */
  #hold(chunk: Buffer): void {
    this.#first = this.#first === null ? Buffer.from(chunk) : Buffer.concat([this.#first, chunk]);
    this.#window -= chunk.length;
    if (this.#left > 0 && this.#window <= 0) this.#link.pause();
  }

  #pass(chunk: Buffer): void {
    this.#window -= chunk.length + httpLimits.chunkOverheadBytes;
    this.#onChunk!(Buffer.from(chunk));
    if (this.#left === 0) this.#onChunk!(null);
    else if (this.#window <= 0) this.#link.pause();
  }
}

function ignore(): void {}
