import { FnrunError } from '../contract/errors.ts';
import type { ErrorCode } from '../contract/errors.ts';
import type { FromHost } from '../contract/ipc.ts';

type Reply = Extract<FromHost, { type: 'reply' }>;

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

/** What one app host is asked and has not answered. */
export class Requests {
  readonly #app: string;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  constructor(app: string) {
    this.#app = app;
  }

  get size(): number {
    return this.#waiting.size;
  }

  nextId(): number {
    return this.#nextId++;
  }

  /** `reply` rejects when the host says so, dies, or the deadline passes. */
  open(type: string, deadlineMs: number): { id: number; reply: Promise<unknown> } {
    const id = this.nextId();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => {
      this.#waiting.delete(id);
      const text = `the app host of ${this.#app} did not answer "${type}" within ${deadlineMs} ms`;
      reject(new FnrunError('FN_HOST_FAILED', text));
    }, deadlineMs);
    this.#waiting.set(id, { resolve, reject, timer });
    return { id, reply: promise };
  }

  /** A reply that came with a handle is that handle. */
  settle(reply: Reply, handle: unknown): void {
    const entry = this.#waiting.get(reply.id);
    if (entry === undefined) {
      (handle as { close?: () => void } | undefined)?.close?.();
      return;
    }
    this.#waiting.delete(reply.id);
    clearTimeout(entry.timer);
    if (reply.ok) entry.resolve(handle ?? reply.result);
    else entry.reject(new FnrunError(reply.code as ErrorCode, reply.message));
  }

  rejectAll(text: string): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new FnrunError('FN_HOST_FAILED', text));
    }
    this.#waiting.clear();
  }
}
