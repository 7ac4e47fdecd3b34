import type { MessagePort, Transferable } from 'node:worker_threads';
import type { FrameField } from './frames.ts';

/** Bytes from which a body chunk is moved to the other thread instead of copied. */
const transferBytesMin = 16 * 1024;

const resolved = Promise.resolve();

/**
 * Collects the frames of one event-loop turn and posts them as one message. A worker posts its first answers before it has
 * made the last, so that the host, which has the most to do, need not wait for them: a tenth more requests a second
 * at 32 connections. What the host posts earlier gains nothing, and chunks of a stream are written in fewer calls the
 * more of them come at once.
 */
export class Outbox {
  readonly #port: MessagePort;
  readonly #answersMax: number;
  #answers = 0;
  #batch: FrameField[] = [];
  #transfer: Transferable[] = [];
  #scheduled = false;
  #closed = false;

  /** `answersMax`: as many whole answers are in one message at most. */
  constructor(port: MessagePort, { answersMax = Infinity }: { answersMax?: number } = {}) {
    this.#port = port;
    this.#answersMax = answersMax;
  }

  /** Appends one frame. It leaves with the others after the current poll phase. */
  push(...frame: FrameField[]): void {
    this.open().push(...frame);
    this.soon();
  }

  /** Where the fields of one frame are to be put, before `soon` or `answered`: for frames that are too many to be lists of their own. */
  open(): FrameField[] {
    return this.#closed ? [] : this.#batch;
  }

  /** What was put there leaves after the current poll phase. */
  soon(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(this.#flushSoon);
  }

  /**
   * What was put there is a whole answer. It leaves behind the microtasks that wait already, those of other answers: a turn of the
   * event loop less for a thread that was woken for one request (6 % more of them behind nginx, 7 with 100 functions).
   */
  answered(): void {
    if (this.#closed) return;
    if (++this.#answers >= this.#answersMax) this.flush();
    else if (this.#answers === 1) void resolved.then(this.#flushAnswers);
  }

  /** The bytes in a form that may be posted: exact, and moved when large. */
  bytes(view: Uint8Array): Uint8Array {
    // A view into a pool would be cloned with the whole pool: copy what it shows.
    const whole = view.byteLength === view.buffer.byteLength && Object.getPrototypeOf(view) === Uint8Array.prototype;
    // Many bytes are copied and the copy is moved: a clone would copy them more than once.
    const sendable = whole && view.buffer instanceof ArrayBuffer && view.byteLength < transferBytesMin;
    const exact = sendable ? view : new Uint8Array(view);
    if (exact !== view) this.move(exact);
    return exact;
  }

  /** For bytes that have a buffer to themselves, and that nobody needs again: many of them are moved with the next frame. */
  move(bytes: Uint8Array): void {
    if (bytes.byteLength >= transferBytesMin) this.#transfer.push(bytes.buffer as ArrayBuffer);
  }

  /** Bytes of a read, that nobody else will look at: moved when large and alone in their buffer. */
  ownedIfWhole(view: Uint8Array): Uint8Array {
    if (view.byteLength !== view.buffer.byteLength || !(view.buffer instanceof ArrayBuffer)) return this.bytes(view);
    const bytes = new Uint8Array(view.buffer);
    this.move(bytes);
    return bytes;
  }

  /** Posts what was collected, at once: before a control message, so that order is kept. */
  flush(): void {
    if (this.#batch.length === 0 || this.#closed) return;
    const batch = this.#batch;
    const transfer = this.#transfer;
    this.#batch = [];
    this.#answers = 0;
    this.#transfer = [];
    this.#port.postMessage(batch, transfer);
  }

  /** Drops everything from now on. */
  close(): void {
    this.#closed = true;
    this.#batch = [];
    this.#transfer = [];
  }

  #flushAnswers = (): void => {
    if (this.#answers > 0) this.flush();
  };

  #flushSoon = (): void => {
    this.#scheduled = false;
    this.flush();
  };
}
