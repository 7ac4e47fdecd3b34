import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { sendProblem } from '../problem.ts';
import { codeOf, detailOf, isEnded, isMismatch } from './failures.ts';
import { forwardedHeaders, stripHopByHop } from './forwarded-headers.ts';
import type { Destination } from './proxy.ts';
import { bodyOf, type RequestBody } from './request-body.ts';
import { destroyClient } from './upstreams.ts';
import type { Upstream, Upstreams } from './upstreams.ts';

type Controller = Dispatcher.DispatchController;

/** What all requests of a gateway share. */
export interface ExchangeOptions {
  upstreams: Upstreams;
  /** Whether the client's connection may carry another request; asked when the response begins. */
  keepAlive: (res: ServerResponse) => boolean;
  /** How long a client may take none of a response that waits for it. */
  stallMs: number;
}

/** One request to an app, and its response to the client. undici calls what begins with `on`. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #to: Destination;
  readonly #options: ExchangeOptions;
  readonly #request: Dispatcher.DispatchOptions & { body: RequestBody | null };
  #upstream: Upstream;
  /** Once the request goes out. */
  #controller: Controller | null = null;
  #retried = false;
  /** Bytes that the response declares; -1 when it does not. */
  #length = -1;
  /** A body that came whole. */
  #whole: Buffer | null = null;
  /** Some of the body has been written. */
  #bodyBegun = false;

  constructor(req: IncomingMessage, res: ServerResponse, to: Destination, options: ExchangeOptions) {
    this.#req = req;
    this.#res = res;
    this.#to = to;
    this.#options = options;
    const headers = forwardedHeaders(req, to);
    headers.push('host', to.host);
    const { 'content-length': length, 'transfer-encoding': encoding } = req.headers;
    if (length !== undefined && encoding === undefined) headers.push('content-length', length);
    this.#request = {
      method: req.method as Dispatcher.HttpMethod,
      path: to.url,
      headers,
      body: bodyOf(req),
      // undici ends the connection behind a HEAD otherwise, in case that a body comes.
      reset: false,
    };
    this.#upstream = options.upstreams.take(to.socketPath);
  }

  /** Sends the request. All that comes of it, comes to the client. */
  start(): void {
    this.#res.once('close', () => {
      if (!this.#res.writableFinished) this.#controller?.abort(clientLeft);
    });
    this.#upstream.client.dispatch(this.#request, this);
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#res.destroyed) controller.abort(clientLeft);
  }

  onResponseStart(_: Controller, status: number, headers: IncomingHttpHeaders, message = ''): void {
    const res = this.#res;
    if (status < 200) return status === 103 ? passOnEarlyHints(headers, res) : undefined;
    const { upgrade } = headers;
    stripHopByHop(headers);
    headers.connection = this.#options.keepAlive(res) ? 'keep-alive' : 'close';
    if (status === 426 && upgrade !== undefined) {
      // What the app asks for can be had here.
      headers.upgrade = upgrade;
      headers.connection += ', upgrade';
    }
    if (headers['content-length'] === undefined) {
      // The head goes out with the first bytes of the body; an event stream may have none for long.
      setImmediate(() => this.#flushHead());
    } else {
      this.#length = Number(headers['content-length']);
    }
    // undici reads it as UTF-8, which it seldom is, and Node refuses what comes of that: then the status has its usual phrase.
    if (plainPhrase.test(message)) res.writeHead(status, message, headers);
    else res.writeHead(status, headers);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (!this.#bodyBegun && chunk.length === this.#length) {
      this.#whole = chunk;
      return;
    }
    this.#bodyBegun = true;
    if (!this.#res.write(chunk)) this.#waitForClient(controller);
  }

  onResponseEnd(): void {
    this.#options.upstreams.release(this.#upstream);
    if (this.#whole === null) this.#res.end();
    else this.#res.end(this.#whole);
  }

  onResponseError(_: Controller, error: NodeJS.ErrnoException): void {
    destroyClient(this.#upstream.client);
    // When no connection could be made undici leaves it as it is.
    this.#request.body?.destroy();
    if (this.#res.destroyed) return;
    if (this.#res.statusCode === 304 && isMismatch(error)) {
      // A 304 may say how long the body would be: undici takes that as said of the body that it does not have.
      this.#res.end();
      return;
    }
    if (this.#mayRetry(error)) {
      this.#retried = true;
      // What ended one kept connection has ended all of them.
      this.#upstream = this.#options.upstreams.create(this.#to.socketPath);
      this.#upstream.client.dispatch(this.#request, this);
      return;
    }
    const detail = detailOf(error);
    sendProblem(this.#res, codeOf(error), { requestId: this.#to.requestId, ...(detail !== undefined && { detail }) });
  }

  /** A kept connection may end just as a request goes out on it. One that changes nothing and has no body goes again. */
  #mayRetry(error: NodeJS.ErrnoException): boolean {
    const { method } = this.#req;
    const safe = method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
    const again = safe && this.#request.body === null && this.#upstream.used && !this.#retried;
    return again && isEnded(error) && !this.#res.headersSent;
  }

  #waitForClient(controller: Controller): void {
    const res = this.#res;
    controller.pause();
    const timer = setTimeout(() => res.destroy(), this.#options.stallMs);
    const go = (): void => {
      clearTimeout(timer);
      res.off('drain', go).off('close', go);
      controller.resume();
    };
    res.on('drain', go).on('close', go);
  }

  #flushHead(): void {
    if (!this.#bodyBegun && !this.#res.writableEnded && !this.#res.destroyed) this.#res.flushHeaders();
  }
}

const plainPhrase = /^[\t\x20-\x7e]+$/;
const clientLeft = new Error('The client left');

function passOnEarlyHints({ link }: IncomingHttpHeaders, res: ServerResponse): void {
  if (link === undefined || res.headersSent || res.destroyed || res.req.httpVersionMinor === 0) return;
  try {
    res.writeEarlyHints({ link });
  } catch {
    // Node takes fewer Link values than apps may send; hints may be left out.
  }
}
