import type { Reply } from '../channel/frames.ts';

/** What an invocation's owner hears from the worker. */
export interface InvocationListener {
  onRespond(reply: Reply): void;
  onChunk(bytes: Uint8Array): void;
  onEnd(): void;
  /** The handler failed, or (after `onRespond`) its body did. */
  onFail(code: string, message: string, stack: string | null): void;
  /** The request body may send this many bytes more. */
  onCredit(bytes: number): void;
  /** The worker ended before the invocation did. */
  onWorkerGone(reason: string): void;
  /** The worker takes nothing new and ends when it is empty: what has no end of its own must find one. */
  onDrain?(): void;
  /** What a WebSocket hears beside that. */
  readonly socket?: SocketListener;
}

/** What the owner of a WebSocket hears from the worker. */
export interface SocketListener {
  /** The upgrade is accepted, with these headers and this protocol (or an empty string). */
  onAccept?(headers: string[], protocol: string): void;
  onSend(data: string | Uint8Array): void;
  /** `code` 0: none is told. */
  onClose(code: number, reason: string): void;
  /** So many messages were dispatched, and so many bytes may follow in their place. */
  onTaken(messages: number, bytes: number): void;
}

/** One log line as a worker sends it. */
export interface WorkerLogLine {
  level: 'debug' | 'info' | 'warn' | 'error';
  requestId: string | null;
  message: string;
  stack: string | null;
  fields: Record<string, unknown> | null;
  dropped: number;
}
