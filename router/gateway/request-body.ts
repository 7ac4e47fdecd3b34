import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/**
 * The body of a request, for a client that destroys what it cannot send to its end: an app may answer before, and then the
 * request itself, whose connection carries that answer, goes on.
 */
export class RequestBody extends Readable {
  readonly #req: IncomingMessage;
  readonly #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#req.pause();
  };
  readonly #onEnd = (): void => void this.push(null);
  readonly #onClose = (): void => {
    if (!this.#req.complete) this.destroy(new Error('The client left in the middle of its request'));
  };

  constructor(req: IncomingMessage) {
    super();
    this.#req = req;
    // undici listens for as long as it sends.
    this.on('error', () => {});
    req.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
  }

  override _read(): void {
    this.#req.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#req.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    callback(error);
  }
}

/** Null when the request declares none. */
export function bodyOf(req: IncomingMessage): RequestBody | null {
  const { 'content-length': length, 'transfer-encoding': encoding } = req.headers;
  return encoding === undefined && (length === undefined || Number(length) === 0) ? null : new RequestBody(req);
}
