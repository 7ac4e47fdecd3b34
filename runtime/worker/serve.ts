import { invocationLimits, httpLimits } from '../contract/limits.ts';
import { methods, toHost, toWorker } from '../channel/frames.ts';
import type { Assignment, FrameBody, FrameField } from '../channel/frames.ts';
import { IdTable } from '../channel/id-table.ts';
import { Outbox } from '../channel/outbox.ts';
import { requestTextAt } from '../channel/request-text.ts';
import { createStreamedBody } from './body-source.ts';
import { createContext } from './context.ts';
import type { ContextServices, WorkerIdentity } from './context.ts';
import { databaseFailure } from './database-failure.ts';
import { readExports } from './exports.ts';
import type { Handler } from './exports.ts';
import { createRequest } from './fetch/request.ts';
import { Inbox } from './inbox.ts';
import { Invocation, startInvocation } from './invocation.ts';
import { invokeLambda } from './lambda.ts';
import type { LogChannel } from './logs.ts';
import { BadResponseError, BodyFailedError, sendResponse } from './reply.ts';
import { describeError } from './stack.ts';
import { WebSockets } from './websocket.ts';

const noParams: Record<string, string | string[]> = {};

/** Serves the invocations of one function in this thread. */
export class FunctionServer {
  readonly identity: WorkerIdentity;
  readonly #assignment: Assignment;
  readonly #handler: Handler;
  readonly #outbox: Outbox;
  readonly #logs: LogChannel;
  readonly #services: ContextServices;
  readonly #running = new IdTable<Invocation>();
  readonly #inbox: Inbox;
  readonly #sockets: WebSockets;

  constructor(options: { assignment: Assignment; module: Record<string, unknown>; outbox: Outbox; logs: LogChannel }) {
    const { assignment, module } = options;
    this.#assignment = assignment;
    this.#outbox = options.outbox;
    this.#inbox = new Inbox({
      outbox: options.outbox,
      handle: this.#handle,
      isRunning: (id) => this.#running.has(id),
      abort: (id, reason) => this.#abort(id, reason),
    });
    this.#logs = options.logs;
    this.identity = {
      app: assignment.app,
      function: assignment.name,
      release: assignment.release,
      env: Object.freeze({ ...assignment.env }),
    };
    this.#handler = readExports(module, {
      settings: assignment.settings,
      defaults: assignment.defaults,
      commonjs: assignment.commonjs,
    });
    this.#services = {
      identity: this.identity,
      log: (level, message, extra) => this.#logs.write(level, message, extra),
      waitUntil: (invocation, promise) => this.#waitUntil(invocation, promise),
    };
    this.#sockets = new WebSockets({
      handlers: this.#handler,
      outbox: this.#outbox,
      services: this.#services,
      running: this.#running,
      timeoutMs: this.#handler.inspection.settings.timeoutMs,
      report: (error, invocation) => this.#report(error, invocation),
      log: (error, invocation) => this.#log(error, invocation),
    });
  }

  get inspection(): Handler['inspection'] {
    return this.#handler.inspection;
  }

  /** Reads one batch of frames. */
  receive(batch: readonly FrameField[]): void {
    this.#inbox.receive(batch);
  }

  #handle = (batch: readonly FrameField[], at: number, now: number): void => {
    const id = batch[at + 1] as number;
    switch (batch[at] as number) {
      case toWorker.invoke:
        this.#invoke(batch, at, now);
        break;
      case toWorker.bodyChunk:
        this.#running.get(id)?.source?.push(batch[at + 2] as Uint8Array);
        break;
      case toWorker.bodyEnd:
        this.#running.get(id)?.source?.push(null);
        break;
      case toWorker.bodyFail:
        this.#running.get(id)?.source?.fail(batch[at + 2] as string);
        break;
      case toWorker.abort:
        this.#abort(id, batch[at + 2] as number);
        break;
      case toWorker.credit:
        this.#credit(id, batch[at + 2] as number);
        break;
      case toWorker.logAck:
        this.#logs.acknowledge(id);
        break;
      default:
        this.#sockets.receive(batch, at, now);
    }
  };

  /** An error that no invocation's promise caught. True when it could be told to an invocation. */
  uncaught(error: unknown, invocation: Invocation | undefined): void {
    const { message, stack } = describeError(error, this.#assignment.releaseDir);
    const requestId = invocation?.requestId;
    this.#logs.write('error', `Uncaught outside the handler's promise: ${message}`, { requestId, stack });
    if (invocation === undefined || this.#sockets.fail(invocation)) return;
    if (!invocation.done) this.#fail(invocation, 'FN_HANDLER_FAILED', { message, stack });
  }

  #invoke(batch: readonly FrameField[], at: number, now: number): void {
    const method = batch[at + 2] as string | number;
    const invocation = new Invocation({
      id: batch[at + 1] as number,
      method: typeof method === 'number' ? methods[method]! : method,
      request: requestTextAt(batch, at + 3),
      params: (batch[at + 7] as Record<string, string | string[]> | null) ?? noParams,
      deadlineAt: now + (batch[at + 9] as number),
      windowBytes: httpLimits.streamWindowBytes,
      timed: this.#assignment.dev,
    });
    const body = batch[at + 8] as FrameBody;
    if (body === true) {
      const streamed = createStreamedBody({ grant: (bytes) => this.#outbox.push(toHost.credit, invocation.id, bytes) });
      invocation.body = streamed.body;
      invocation.source = streamed.source;
    } else {
      invocation.body = body;
    }
    this.#running.set(invocation.id, invocation);
    startInvocation(invocation, this.#run);
  }

  #run = async (invocation: Invocation): Promise<void> => {
    try {
      const sending = sendResponse(await this.#call(invocation), invocation, this.#outbox);
      if (sending !== null) await sending;
    } catch (error) {
      this.#report(error, invocation);
    }
    invocation.done = true;
    if (invocation.waiting > 0) return;
    this.#running.delete(invocation.id);
    invocation.settle();
  };

  #call(invocation: Invocation): unknown {
    const { web, fetch, lambda, inspection } = this.#handler;
    if (lambda !== null) {
      const place = { app: this.identity.app, route: this.#assignment.route, anyMethod: inspection.methods === null };
      return invokeLambda(invocation, {
        handler: lambda,
        settings: inspection.settings,
        identity: this.identity,
        place,
      });
    }
    const request = createRequest(invocation);
    const ctx = createContext(invocation, this.#services);
    const handler = web === null ? null : web(invocation.method);
    if (handler !== null) return handler(request, ctx);
    if (fetch !== null) return fetch(request, this.identity.env, ctx);
    throw new Error(`Cannot call ${invocation.method}: the module exports no function for it`);
  }

  #report(error: unknown, invocation: Invocation): void {
    // What fails because the client has gone or the time is over was told already.
    if (invocation.aborted) return;
    const told = error instanceof BodyFailedError ? error.cause : error;
    const { message, stack } = describeError(told, this.#assignment.releaseDir);
    const bad = error instanceof BadResponseError;
    this.#logs.write('error', bad ? error.message : message, {
      requestId: invocation.requestId,
      stack: bad ? null : stack,
    });
    const code = bad ? 'FN_BAD_RESPONSE' : (databaseFailure(told) ?? 'FN_HANDLER_FAILED');
    this.#fail(invocation, code, { message, stack });
  }

  #log(error: unknown, invocation: Invocation): void {
    const { message, stack } = describeError(error, this.#assignment.releaseDir);
    this.#logs.write('error', message, { requestId: invocation.requestId, stack });
  }

  #fail(invocation: Invocation, code: string, { message, stack }: { message: string; stack: string | null }): void {
    invocation.done = true;
    this.#outbox.push(toHost.fail, invocation.id, code, message, stack, invocation.waiting > 0);
  }

  #abort(id: number, reason: number): void {
    this.#outbox.push(toHost.aborted, id);
    const invocation = this.#running.get(id);
    if (invocation === undefined) return;
    invocation.abort(reason);
    invocation.done = true;
    if (invocation.waiting > 0) return;
    this.#running.delete(id);
    this.#outbox.push(toHost.settled, id);
  }

  #credit(id: number, bytes: number): void {
    const invocation = this.#running.get(id);
    if (invocation === undefined) return;
    invocation.credit += bytes;
    invocation.onCredit?.();
  }

  #waitUntil(invocation: Invocation, promise: Promise<unknown>): void {
    invocation.waiting++;
    let cap: ReturnType<typeof setTimeout>;
    const capped = new Promise<void>((_resolve, reject) => {
      cap = setTimeout(
        () =>
          reject(
            new Error(
              `a waitUntil promise did not settle within ${invocationLimits.waitUntilMs} ms and is no longer waited for`,
            ),
          ),
        invocationLimits.waitUntilMs,
      );
    });
    void Promise.race([Promise.resolve(promise), capped])
      .catch((error: unknown) => {
        const { message, stack } = describeError(error, this.#assignment.releaseDir);
        this.#logs.write('error', `waitUntil: ${message}`, { requestId: invocation.requestId, stack });
      })
      .finally(() => {
        clearTimeout(cap);
        invocation.waiting--;
        if (invocation.waiting > 0 || !invocation.done) return;
        this.#running.delete(invocation.id);
        invocation.settle();
        this.#outbox.push(toHost.settled, invocation.id);
      });
  }
}
