import { AsyncLocalStorage } from 'node:async_hooks';
import { abortReasons } from '../channel/frames.ts';
import type { RequestText } from '../channel/request-text.ts';
import type { ArrivingBody } from './body-source.ts';

/** The request body as it comes over the channel, chunk by chunk. */
export interface BodySource {
  /** Feeds one chunk, the end (null), or a failure. */
  push(chunk: Uint8Array | null): void;
  fail(message: string): void;
}

/** Gives things to invocations that must come back. */
export interface Borrower {
  /** All of the invocation is over, `waitUntil` included. */
  settled(invocation: Invocation): void;
  aborted(invocation: Invocation): void;
}

/** What an invocation used of databases; times in ms. */
export interface DatabaseUse {
  queries: number;
  rows: number;
  waitMs: number;
  queryMs: number;
}

/** One call of the handler, from the worker's side. */
export class Invocation {
  readonly id: number;
  readonly method: string;
  readonly requestId: string;
  readonly rawParams: Readonly<Record<string, string | string[]>>;
  /** Infinity for an open WebSocket. */
  deadlineAt: number;
  /** The whole body, null for none; streamed ones arrive through `source`. */
  body: Uint8Array | ArrivingBody | null = null;
  source: BodySource | null = null;
  /** Called when the host takes more bytes of the response. */
  onCredit: (() => void) | null = null;
  credit: number;
  /** Its response tells what it took of databases. */
  readonly timed: boolean;
  /** The head of the response was sent. */
  responded = false;
  /** The handler's part is over: responded in full, failed, or aborted. */
  done = false;
  waiting = 0;
  /** What it used of databases; null: nothing. */
  database: DatabaseUse | null = null;
  /** Those who gave it something that must come back. */
  borrowers: Borrower[] | null = null;
  readonly #text: RequestText;
  #controller: AbortController | null = null;
  #abortReason: string | null = null;

  constructor(fields: InvocationFields) {
    this.id = fields.id;
    this.method = fields.method;
    this.#text = fields.request;
    this.requestId = fields.request.text.slice(0, fields.request.idEnd);
    this.rawParams = fields.params;
    this.deadlineAt = fields.deadlineAt;
    this.credit = fields.windowBytes;
    this.timed = fields.timed ?? false;
  }

  get url(): string {
    const { text, addressEnd, urlEnd } = this.#text;
    return text.slice(addressEnd, urlEnd);
  }

  /** The request's headers as the client sent them, a line each. */
  get headerLines(): string {
    const { text, urlEnd } = this.#text;
    return text.slice(urlEnd);
  }

  get clientAddress(): string {
    const { text, idEnd, addressEnd } = this.#text;
    return text.slice(idEnd, addressEnd);
  }

  /** Made on first use: most handlers never look at it. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#abortReason !== null) this.#controller.abort(abortError(this.#abortReason));
    }
    return this.#controller.signal;
  }

  get aborted(): boolean {
    return this.#abortReason !== null;
  }

  /** Its handler has returned, and `waitUntil` is over. */
  settle(): void {
    if (this.borrowers === null) return;
    for (const borrower of this.borrowers) borrower.settled(this);
    this.borrowers = null;
  }

  abort(reasonIndex: number): void {
    if (this.#abortReason !== null) return;
    this.#abortReason = abortReasons[reasonIndex] ?? 'client-gone';
    const error = abortError(this.#abortReason);
    this.source?.fail(error.message);
    this.#controller?.abort(error);
    this.onCredit?.();
    for (const borrower of this.borrowers ?? []) borrower.aborted(this);
  }
}

export interface InvocationFields {
  id: number;
  method: string;
  request: RequestText;
  params: Readonly<Record<string, string | string[]>>;
  /** `performance.now()` when its time is over. */
  deadlineAt: number;
  windowBytes: number;
  timed?: boolean;
}

function abortError(reason: string): DOMException {
  if (reason === 'timeout') return new DOMException('The invocation reached its timeout', 'TimeoutError');
  if (reason === 'shutdown') return new DOMException('The worker is being replaced', 'AbortError');
  return new DOMException('The client closed the connection', 'AbortError');
}

/** Finds the invocation that a log line or an uncaught error belongs to. */
export const currentInvocation = new AsyncLocalStorage<Invocation>();

const outside = AsyncLocalStorage.snapshot();

/** Starts an invocation in a context of its own, which no other has. In half of the time of `run`, which makes two of them, each a copy. */
export function startInvocation(invocation: Invocation, start: (invocation: Invocation) => unknown): void {
  outside(enter, invocation, start);
}

function enter(invocation: Invocation, start: (invocation: Invocation) => unknown): void {
  currentInvocation.enterWith(invocation);
  void start(invocation);
}

/** What `invocation` used of databases, to be added to. */
export function useOf(invocation: Invocation): DatabaseUse {
  return (invocation.database ??= { queries: 0, rows: 0, waitMs: 0, queryMs: 0 });
}
