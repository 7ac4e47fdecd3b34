import type { WebSocketContext } from '../contract/handler.ts';
import { httpLimits } from '../contract/limits.ts';
import { toHost, toWorker } from '../channel/frames.ts';
import type { FrameField } from '../channel/frames.ts';
import { requestTextAt } from '../channel/request-text.ts';
import type { IdTable } from '../channel/id-table.ts';
import type { Outbox } from '../channel/outbox.ts';
import { createContext } from './context.ts';
import type { ContextServices } from './context.ts';
import type { SocketHandlers } from './exports.ts';
import { createRequest } from './fetch/request.ts';
import { currentInvocation, Invocation } from './invocation.ts';
import { sendResponse } from './reply.ts';
import { createServerSocket } from './server-socket.ts';
import type { SocketControl, SocketWire } from './server-socket.ts';
import { isResponse, readUpgrade } from './websocket-upgrade.ts';
import type { UpgradeAnswer } from './websocket-upgrade.ts';

/** What the WebSockets of a worker share with its invocations. */
export interface WebSocketsOptions {
  handlers: SocketHandlers;
  outbox: Outbox;
  services: ContextServices;
  running: IdTable<Invocation>;
  /** The setting: how long an asynchronous listener may hold back what the client sends next. */
  timeoutMs: number;
  /** Logs what the handler threw; before the socket is open the client is told too. */
  report: (error: unknown, invocation: Invocation) => void;
  /** Logs only. */
  log: (error: unknown, invocation: Invocation) => void;
}

/** The WebSockets of one worker. Each is an invocation that lasts until the socket is closed. */
export class WebSockets {
  readonly #options: WebSocketsOptions;
  /** By id. An invocation may be aborted, and so over, before its socket hears that it is closed. */
  readonly #open = new Map<number, { control: SocketControl; invocation: Invocation }>();

  constructor(options: WebSocketsOptions) {
    this.#options = options;
    // The first look at these globals may load undici: not with the first message.
    if (options.handlers.websocket !== null) void [MessageEvent, CloseEvent, ErrorEvent];
  }

  /** Handles the frame at `at`. Throws for one that it does not know. */
  receive(batch: readonly FrameField[], at: number, now: number): void {
    const id = batch[at + 1] as number;
    switch (batch[at] as number) {
      case toWorker.upgrade:
        this.#upgrade(batch, at, now);
        break;
      case toWorker.message:
        this.#in(id, (control) => control.message(batch[at + 2] as string | Uint8Array));
        break;
      case toWorker.sent:
        this.#open.get(id)?.control.sent(batch[at + 2] as number);
        break;
      case toWorker.closed:
        this.#in(id, (control) => {
          this.#open.delete(id);
          control.closed(batch[at + 2] as number, batch[at + 3] as string, batch[at + 4] as string | null);
        });
        break;
      default:
        throw new Error(`Cannot read frame: unknown opcode ${JSON.stringify(batch[at])}`);
    }
  }

  /** An error escaped from what an open socket's handler started. False when the invocation is no open socket. */
  fail(invocation: Invocation): boolean {
    const open = this.#open.get(invocation.id);
    open?.control.fail();
    return open !== undefined;
  }

  /** Events are dispatched in the invocation's own context: logs carry its request id. */
  #in(id: number, call: (control: SocketControl) => void): void {
    const open = this.#open.get(id);
    if (open !== undefined) currentInvocation.run(open.invocation, call, open.control);
  }

  #upgrade(batch: readonly FrameField[], at: number, now: number): void {
    const invocation = new Invocation({
      id: batch[at + 1] as number,
      method: 'GET',
      request: requestTextAt(batch, at + 2),
      params: (batch[at + 6] ?? {}) as Record<string, string | string[]>,
      deadlineAt: now + (batch[at + 7] as number),
      windowBytes: httpLimits.streamWindowBytes,
    });
    this.#options.running.set(invocation.id, invocation);
    void currentInvocation.run(invocation, this.#run, invocation, batch[at + 8] as string[]);
  }

  #run = async (invocation: Invocation, offered: readonly string[]): Promise<void> => {
    const { outbox, services, running, report } = this.#options;
    const request = createRequest(invocation);
    const ctx = Object.defineProperty(createContext(invocation, services), 'request', {
      value: request,
      enumerable: true,
    }) as WebSocketContext;
    try {
      const answer = await this.#ask(request, ctx, offered);
      if (invocation.aborted) return;
      if (answer.kind === 'accepted') {
        this.#accept(answer, invocation, ctx);
        return;
      }
      await sendResponse(answer.response, invocation, outbox);
    } catch (error) {
      report(error, invocation);
    }
    invocation.done = true;
    if (invocation.waiting === 0) running.delete(invocation.id);
  };

  async #ask(request: Request, ctx: WebSocketContext, offered: readonly string[]): Promise<UpgradeAnswer> {
    const { upgrade } = this.#options.handlers;
    if (upgrade === null) return readUpgrade(undefined, offered);
    try {
      return readUpgrade(await upgrade(request, ctx), offered);
    } catch (error) {
      if (isResponse(error)) return { kind: 'refused', response: error };
      throw error;
    }
  }

  #accept(answer: UpgradeAnswer & { kind: 'accepted' }, invocation: Invocation, ctx: WebSocketContext): void {
    const { id } = invocation;
    const { outbox, handlers, log } = this.#options;
    const url = invocation.url.replace(/^http/, 'ws');
    const { socket, control } = createServerSocket({ url, protocol: answer.protocol, wire: this.#wire(invocation) });
    // The timeout was the handshake's; an open socket has none.
    invocation.deadlineAt = Infinity;
    this.#open.set(id, { control, invocation });
    outbox.push(toHost.accept, id, answer.headers, answer.protocol);
    const fail = (error: unknown): void => {
      log(error, invocation);
      control.fail();
    };
    try {
      const returned: unknown = handlers.websocket!(socket, ctx);
      // Until an asynchronous handler listens, or is done, messages wait.
      Promise.resolve(returned).then(() => control.start(), fail);
    } catch (error) {
      fail(error);
    }
  }

  #wire(invocation: Invocation): SocketWire {
    const { id } = invocation;
    const { outbox, services, log, timeoutMs } = this.#options;
    return {
      send: (data) => outbox.push(toHost.send, id, typeof data === 'string' ? data : outbox.bytes(data)),
      close: (code, reason) => outbox.push(toHost.close, id, code, reason),
      taken: (messages, bytes) => outbox.push(toHost.taken, id, messages, bytes),
      failed: (error) => log(error, invocation),
      waitUntil: (promise) => services.waitUntil(invocation, promise),
      async within(promise) {
        const { promise: late, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, timeoutMs);
        await Promise.race([promise, late]);
        clearTimeout(timer);
      },
    };
  }
}
