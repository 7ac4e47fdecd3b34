import type { FrameBody, Reply } from '../channel/frames.ts';
import type { ErrorCode } from '../contract/errors.ts';
import type { ProblemOptions } from '../../router/problem.ts';

/**
 * One request and the way back to its client. There are two kinds: `NodeTransaction` over node:http, which takes
 * everything, and `DirectTransaction` over the bare socket, for requests that are plain enough.
 */
export interface Transaction {
  readonly method: string;
  /** The connection goes on after this response, as far as is known. */
  readonly keepAlive: boolean;
  readonly body: IncomingBody;
  /** The head of the response has left. */
  readonly headSent: boolean;
  /** The request's headers as the handler is to see them, a line each: without those about the connection, and with this id. */
  headerLinesFor(requestId: string): string;
  /** Asks a client that waits to be asked (`Expect: 100-continue`) for its body. */
  invite(): void;
  /** To be set before anything is sent. */
  owner: TransactionOwner;
  /** Answers with a problem document; cuts the connection when the head has left. */
  problem(code: ErrorCode, options: ProblemOptions): void;
  /** Answers without a body. Names in lower case. */
  answer(status: number, headers: Readonly<Record<string, string>>): void;
  /** Sends a response that is there in full. Throws when the head cannot be sent. */
  respond(reply: Reply): void;
  /** Sends the head of a streamed response, at once. Throws when it cannot be sent. */
  begin(reply: Reply): void;
  /** Sends a chunk. `onTaken`: the client has it, or the kernel. */
  write(bytes: Uint8Array, onTaken: () => void): void;
  end(): void;
  /** Ends a response that cannot be completed, so that the client sees that it is not whole. */
  cut(): void;
  /** The response is handed over, and its client alone keeps it: cut it when nothing is taken for so long. */
  cutWhenIdle(ms: number): void;
}

/** Whom a transaction tells of its course. */
export interface TransactionOwner {
  /** Called once: the response is over, or the client has gone. */
  onClosed(): void;
}

/** Of a transaction whose course is of no interest. */
export const noOwner: TransactionOwner = { onClosed() {} };

/** The body of a request on its way in. */
export interface IncomingBody {
  /** There is none, and nothing to be done about it. */
  readonly empty: boolean;
  /** All of it has come, or there is none. */
  readonly complete: boolean;
  /** More of it is due, and it is the client that keeps it back: there is room for it. */
  readonly awaited: boolean;
  /** Its form in the invoke frame; known when `onReady` is called. */
  readonly inline: FrameBody;
  /** Reads a small body whole; calls `onReady` when the invocation can start, at once for one that is streamed. */
  open(options: { maxBytes: number; onReady: () => void; onTooLarge: () => void }): void;
  /** Passes the chunks of a streamed body on as they come, then null. */
  stream(options: { onChunk: (bytes: Uint8Array | null) => void; onFail: (message: string) => void }): void;
  /** The handler took this many bytes. */
  grant(bytes: number): void;
  /** Nobody wants the rest. */
  release(): void;
}
