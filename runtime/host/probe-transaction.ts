import type { Reply } from '../channel/frames.ts';
import { errorCatalogue } from '../contract/errors.ts';
import type { ErrorCode } from '../contract/errors.ts';
import type { ProblemOptions } from '../../router/problem.ts';
import { noOwner } from './transaction.ts';
import type { IncomingBody, Transaction } from './transaction.ts';

const noBody: IncomingBody = {
  empty: true,
  complete: true,
  awaited: false,
  inline: null,
  open: ({ onReady }) => onReady(),
  stream: () => {},
  grant: () => {},
  release: () => {},
};

/** A GET without a client: the platform asks, and wants to know no more than the status. */
export class ProbeTransaction implements Transaction {
  readonly method = 'GET';
  readonly keepAlive = false;
  readonly body = noBody;
  /** Resolves with null when the status is good, else with what is wrong. */
  readonly answered: Promise<string | null>;
  headSent = false;
  owner = noOwner;
  readonly #resolve: (verdict: string | null) => void;
  #closed = false;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<string | null>();
    this.answered = promise;
    this.#resolve = resolve;
  }

  headerLinesFor(requestId: string): string {
    return `host: localhost\r\nuser-agent: fnrun-check\r\naccept: */*\r\nx-request-id: ${requestId}\r\n`;
  }

  invite(): void {}

  problem(code: ErrorCode, { detail }: ProblemOptions): void {
    const { status, title } = errorCatalogue[code];
    this.#end(`answered ${status}: ${detail ?? title}`);
  }

  answer(status: number): void {
    this.#judge(status);
  }

  respond({ status }: Reply): void {
    this.#judge(status);
  }

  /** The head tells enough: the rest of a stream is not waited for. */
  begin({ status }: Reply): void {
    this.#judge(status);
  }

  write(_bytes: Uint8Array, onTaken: () => void): void {
    onTaken();
  }

  end(): void {
    this.leave();
  }

  cut(): void {
    this.#end('broke its response off');
  }

  cutWhenIdle(): void {}

  /** Nobody waits for the answer any more. */
  leave(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.owner.onClosed();
  }

  #judge(status: number): void {
    this.headSent = true;
    this.#end(status < 400 ? null : `answered ${status}`);
  }

  #end(verdict: string | null): void {
    this.#resolve(verdict);
    // The exchange may be in the middle of answering: it hears of the end afterwards.
    queueMicrotask(() => this.leave());
  }
}
