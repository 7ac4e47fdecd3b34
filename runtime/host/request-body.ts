import type { IncomingMessage } from 'node:http';
import { httpLimits } from '../contract/limits.ts';
import type { FrameBody } from '../channel/frames.ts';
import type { IncomingBody } from './transaction.ts';

/** The body of a request that node:http parsed: none, collected in full when small and declared, else streamed with credit. */
export class RequestBody implements IncomingBody {
  /** Whoever sends none may still have asked to be invited. */
  readonly empty = false;
  readonly #req: IncomingMessage;
  #maxBytes = Infinity;
  readonly #length: number | null;
  readonly #chunked: boolean;
  #inline: FrameBody = null;
  #received = 0;
  #window: number = httpLimits.streamWindowBytes;
  #onTooLarge: () => void = () => {};
  #released = false;

  constructor(req: IncomingMessage) {
    this.#req = req;
    const length = req.headers['content-length'];
    this.#length = length === undefined ? null : Number(length);
    this.#chunked = req.headers['transfer-encoding'] !== undefined;
  }

  get complete(): boolean {
    // Node says so of a request without a body only after its handler has returned.
    const declared = this.#chunked || (this.#length ?? 0) > 0;
    return !declared || this.#req.complete;
  }

  get awaited(): boolean {
    return !this.complete && this.#window > 0;
  }

  get inline(): FrameBody {
    return this.#inline;
  }

  open({ maxBytes, onReady, onTooLarge }: { maxBytes: number; onReady: () => void; onTooLarge: () => void }): void {
    this.#maxBytes = maxBytes;
    this.#onTooLarge = onTooLarge;
    if (!this.#chunked && (this.#length === null || this.#length === 0)) {
      onReady();
    } else if (this.#length !== null && this.#length > this.#maxBytes) {
      onTooLarge();
    } else if (this.#length !== null && this.#length <= httpLimits.inlineBodyBytes) {
      this.#collect(this.#length, onReady);
    } else {
      this.#inline = true;
      onReady();
    }
  }

  stream({
    onChunk,
    onFail,
  }: {
    onChunk: (bytes: Uint8Array | null) => void;
    onFail: (message: string) => void;
  }): void {
    const req = this.#req;
    req.on('data', (chunk: Buffer) => {
      if (this.#released) return;
      this.#received += chunk.byteLength;
      if (this.#received > this.#maxBytes) {
        req.pause();
        this.#onTooLarge();
        return;
      }
      this.#window -= chunk.byteLength + httpLimits.chunkOverheadBytes;
      onChunk(chunk);
      if (this.#window <= 0) req.pause();
    });
    req.on('end', () => onChunk(null));
    req.on('error', (error) => onFail(`The request body ended early: ${error.message}`));
  }

  grant(bytes: number): void {
    this.#window += bytes;
    if (this.#window > 0 && this.#req.isPaused()) this.#req.resume();
  }

  /** It is read for a moment, so that the client sees the answer, then the connection ends. */
  release(): void {
    this.#released = true;
    const req = this.#req;
    if (req.complete || req.destroyed) return;
    const timer = setTimeout(() => req.socket.destroy(), httpLimits.lingerMs);
    // Not with the socket, which may see many uploads more.
    req.once('close', () => clearTimeout(timer));
    req.resume();
  }

  #collect(length: number, onReady: () => void): void {
    const bytes = new Uint8Array(length);
    this.#req.on('data', (chunk: Buffer) => {
      bytes.set(chunk, this.#received);
      this.#received += chunk.byteLength;
    });
    this.#req.on('end', () => {
      this.#inline = bytes;
      onReady();
    });
    this.#req.on('error', () => {});
  }
}
