import { invocationLimits } from '../contract/limits.ts';
import { toHost, toWorker, toWorkerLengths } from '../channel/frames.ts';
import type { FrameField } from '../channel/frames.ts';
import type { Outbox } from '../channel/outbox.ts';

/** What an inbox feeds. */
export interface InboxOptions {
  outbox: Outbox;
  /** Handles the frame at `at`. `now` is `performance.now()`. */
  handle: (batch: readonly FrameField[], at: number, now: number) => void;
  isRunning: (id: number) => boolean;
  abort: (id: number, reason: number) => void;
}

interface Rest {
  batch: readonly FrameField[];
  at: number;
}

/**
 * Frames on their way to the handlers. After `sliceMs` of handlers that compute, the rest waits for the next turn
 * of the event loop: what has been answered leaves first, and clients that have gone meanwhile are not served.
 */
export class Inbox {
  readonly #options: InboxOptions;
  #backlog: Rest[] = [];
  /** Invocations that were aborted before their turn. */
  readonly #gone = new Set<number>();

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  receive(batch: readonly FrameField[]): void {
    if (this.#backlog.length === 0) {
      this.#work({ batch, at: 0 });
    } else {
      this.#takeAborts(batch);
      this.#backlog.push({ batch, at: 0 });
    }
  }

  #work({ batch, at }: Rest): void {
    let now = performance.now();
    const until = now + invocationLimits.sliceMs;
    for (let i = at; i < batch.length;) {
      const opcode = batch[i] as number;
      const begins = opcode === toWorker.invoke || opcode === toWorker.upgrade;
      const skipped = begins && this.#gone.size > 0 && this.#gone.delete(batch[i + 1] as number);
      if (!skipped) this.#options.handle(batch, i, now);
      i += toWorkerLengths[opcode]!;
      if (!begins || i >= batch.length) continue;
      now = performance.now();
      if (now > until) {
        this.#backlog.unshift({ batch, at: i });
        break;
      }
    }
    if (this.#backlog.length > 0) setImmediate(this.#next);
    // Whoever is still named was answered before the abort came.
    else if (this.#gone.size > 0) this.#gone.clear();
  }

  #next = (): void => {
    this.#options.outbox.flush();
    const rest = this.#backlog.shift();
    if (rest !== undefined) this.#work(rest);
  };

  /** Out of turn: the host takes a thread that does not answer for blocked, and the client's place is free at once. */
  #takeAborts(batch: readonly FrameField[]): void {
    const { outbox, isRunning, abort } = this.#options;
    for (let i = 0; i < batch.length; i += toWorkerLengths[batch[i] as number]!) {
      if (batch[i] !== toWorker.abort) continue;
      const id = batch[i + 1] as number;
      if (isRunning(id)) {
        abort(id, batch[i + 2] as number);
      } else {
        this.#gone.add(id);
        outbox.push(toHost.aborted, id);
        outbox.push(toHost.settled, id);
      }
    }
  }
}
