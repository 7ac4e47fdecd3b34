/**
 * The types a function author sees (`import type { Context } from 'fnrun'`).
 * This file imports nothing: `fnrun init` copies it into a new app as it is.
 */

/** A value of the route's parameters: a decoded segment, or the decoded segments of `[...rest]`. */
export type ParamValue = string | string[];

/** Route parameters. May be read directly or awaited. */
export type Params = Readonly<Record<string, ParamValue>> & PromiseLike<Readonly<Record<string, ParamValue>>>;

/** Structured logger: one JSON line per call, with app, function, release and request id. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** What a handler gets beside its request. */
export interface Context {
  /** Parameters of the route, by the names of its folders. */
  readonly params: Params;
  /** The app's environment; the same values as `process.env`. */
  readonly env: Readonly<Record<string, string>>;
  /** The request's id, as in `x-request-id` and in every log line. */
  readonly requestId: string;
  readonly app: string;
  readonly function: string;
  readonly release: string;
  /** Aborts when the client disconnects and when the invocation times out. */
  readonly signal: AbortSignal;
  /** Milliseconds left until the timeout; never negative. */
  deadlineMs(): number;
  readonly log: Logger;
  /** Keeps the worker for `promise` after the response, at most 30 s. A rejection is logged. */
  waitUntil(promise: Promise<unknown>): void;
  /** Workers compatibility: accepted, without effect. */
  passThroughOnException(): void;
}

/** What a `websocket` handler gets beside its socket, and `upgrade` beside its request. */
export interface WebSocketContext extends Context {
  /** The request that asked for the WebSocket. */
  readonly request: Request;
  /** Aborts when the socket is closed. */
  readonly signal: AbortSignal;
  /** Milliseconds left for the upgrade; Infinity once the socket is open. */
  deadlineMs(): number;
}

/** `export function websocket(socket, ctx)`: called with each open WebSocket. A throw closes it with 1011. */
export type WebSocketHandler = (socket: WebSocket, ctx: WebSocketContext) => void | Promise<void>;

/**
 * `export function upgrade(request, ctx)`: asked before a WebSocket is opened. A Response refuses with it; headers and
 * a protocol go into the handshake; nothing accepts.
 */
export type UpgradeHandler = (request: Request, ctx: WebSocketContext) => UpgradeAnswer | Promise<UpgradeAnswer>;

/** What `upgrade` may return. */
export type UpgradeAnswer = Response | Headers | UpgradeInit | undefined | void;

/** Accepts an upgrade with more than the defaults. */
export interface UpgradeInit {
  /** Further headers of the handshake, such as `set-cookie`. */
  headers?: Headers | Record<string, string> | [string, string][];
  /** One of the protocols that the client offers. @default the first */
  protocol?: string;
}

/** Settings of a function: `export const config = { … } satisfies Config`. */
export interface Config {
  /** Methods the function answers. @default all, or those of its per-method exports */
  methods?: string[];
  /** Time an invocation may take, in ms. @default 10000 */
  timeoutMs?: number;
  /** V8 heap of one worker, in MB. @default 128 */
  memoryMb?: number;
  /** Invocations at once in one worker. @default 50 */
  concurrency?: number;
  /** Workers kept even when idle. @default 0 */
  minWorkers?: number;
  /** Workers at most. @default 4 */
  maxWorkers?: number;
  /** Whether the function also answers every path below its route. @default true for `{ fetch }`, else false */
  subtree?: boolean;
  /** Name of the export that is the Lambda handler. @default "handler" */
  handler?: string;
  /** Version of the Lambda event. @default "2.0" */
  payload?: '1.0' | '2.0';
  /** Largest request body, in bytes. @default 16777216 */
  maxBodyBytes?: number;
  /** Largest response body, in bytes; a larger one is cut off, or a 502 when its size is known before. @default no limit */
  maxResponseBytes?: number;
  /** Origins whose pages may open a WebSocket, beside those of the same host; `*` for any. @default none */
  origins?: string[];
  /** Largest message of a WebSocket client, in bytes. @default 1048576 */
  maxMessageBytes?: number;
  /** Time without a message, either way, after which a WebSocket is closed, in ms. @default 3600000 */
  socketIdleMs?: number;
  /**
   * Path of this function that is asked (GET) in every new release before it goes live: 2xx or 3xx lets it, anything
   * else rejects the deployment. @default none, loading is enough
   */
  check?: string;
}
