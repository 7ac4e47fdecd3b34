import { inspect } from 'node:util';
import type { Context, Logger, Params } from '../contract/handler.ts';
import type { LogRecord } from '../contract/log.ts';
import type { Invocation } from './invocation.ts';

/** What every context of a worker has in common. */
export interface WorkerIdentity {
  readonly app: string;
  readonly function: string;
  /** Changes when the worker is carried over to a newer release with the same code. */
  release: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What a context needs from the worker it lives in. */
export interface ContextServices {
  identity: WorkerIdentity;
  log(level: LogRecord['level'], message: string, extra: { requestId: string; fields?: Record<string, unknown> }): void;
  waitUntil(invocation: Invocation, promise: Promise<unknown>): void;
}

// Own properties are the parameters alone; `then` sits on the prototype so that `await ctx.params` works.
class RouteParams {
  [name: string]: unknown;

  constructor(params: Readonly<Record<string, string | string[]>>) {
    Object.assign(this, params);
  }
}
Object.defineProperty(RouteParams.prototype, 'then', {
  configurable: true,
  value(this: RouteParams, ...handlers: Parameters<Promise<unknown>['then']>) {
    // A plain copy: resolving with a thenable would never end.
    return Promise.resolve(Object.assign({}, this)).then(...handlers);
  },
});
Object.defineProperty(RouteParams.prototype, 'constructor', { configurable: true, value: Object });

class InvocationContext implements Context {
  readonly #invocation: Invocation;
  readonly #services: ContextServices;
  #params: Params | null = null;
  #log: Logger | null = null;

  constructor(invocation: Invocation, services: ContextServices) {
    this.#invocation = invocation;
    this.#services = services;
    // Handlers take it apart (`const { waitUntil } = ctx`): bound once, here.
    this.waitUntil = this.waitUntil.bind(this);
    this.deadlineMs = this.deadlineMs.bind(this);
  }

  get params(): Params {
    return (this.#params ??= new RouteParams(this.#invocation.rawParams) as unknown as Params);
  }

  get env(): Readonly<Record<string, string>> {
    return this.#services.identity.env;
  }

  get requestId(): string {
    return this.#invocation.requestId;
  }

  get app(): string {
    return this.#services.identity.app;
  }

  get function(): string {
    return this.#services.identity.function;
  }

  get release(): string {
    return this.#services.identity.release;
  }

  get signal(): AbortSignal {
    return this.#invocation.signal;
  }

  get log(): Logger {
    return (this.#log ??= createLogger(this.#invocation.requestId, this.#services));
  }

  deadlineMs(): number {
    return Math.max(0, this.#invocation.deadlineAt - performance.now());
  }

  waitUntil(promise: Promise<unknown>): void {
    this.#services.waitUntil(this.#invocation, promise);
  }

  passThroughOnException(): void {
    // Workers compatibility: there is no origin behind a function to fall back to.
  }
}

function createLogger(requestId: string, services: ContextServices): Logger {
  const at =
    (level: LogRecord['level']) =>
    (message: unknown, fields?: Record<string, unknown>): void => {
      const text = typeof message === 'string' ? message : inspect(message);
      services.log(level, text, fields === undefined ? { requestId } : { requestId, fields });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** The `ctx` of one invocation. */
export function createContext(invocation: Invocation, services: ContextServices): Context {
  return new InvocationContext(invocation, services);
}
