/**
 * The wire between an app host and one of its workers: a MessagePort that carries
 * either a batch (a flat array of frames, all those of one event-loop turn) or one
 * control message (an object; few, outside the request path).
 *
 * Every frame is its opcode, then a fixed number of fields. Flat batches of 16 cost
 * 0.6 µs a frame, posted and received; frames posted one by one 2.7 µs.
 */

import type { DatabaseSettings } from '../contract/database.ts';

/** Frames from host to worker, with their fields. */
export const toWorker = {
  /** id, method (an index of `methods` or itself), text and ends (see `RequestText`), params (null: none), body, timeoutMs */
  invoke: 1,
  /** id, bytes */
  bodyChunk: 2,
  /** id */
  bodyEnd: 3,
  /** id, message */
  bodyFail: 4,
  /** id, reason (an index of `abortReasons`) */
  abort: 5,
  /** id, bytes: the response may send this many more */
  credit: 6,
  /** lines: that many log lines were taken */
  logAck: 7,
  /** id, text and ends, params, timeoutMs, offered protocols: shall it become a WebSocket? */
  upgrade: 8,
  /** id, data: a message of the client */
  message: 9,
  /** id, bytes: that much of what was sent has left the process */
  sent: 10,
  /** id, code, reason, error (a sentence or null): the WebSocket is closed */
  closed: 11,
} as const;

/** Fields of each frame from host to worker, opcode included, by opcode. */
export const toWorkerLengths: readonly number[] = [0, 10, 3, 2, 3, 3, 3, 2, 9, 3, 3, 5];

/** Frames from worker to host, with their fields. */
export const toHost = {
  /** id, status, text, body, announced bytes, flags (see `Reply` and `replyFlags`) */
  respond: 1,
  /** id, bytes */
  chunk: 2,
  /** id, pending */
  end: 3,
  /** id, code, message: the invocation failed; after `respond`: its body did */
  fail: 4,
  /** id, bytes: the request body may send this many more */
  credit: 5,
  /** id: everything of the invocation is over, `waitUntil` included */
  settled: 6,
  /** id: the abort was seen */
  aborted: 7,
  /** level, requestId, message, stack, fields, dropped lines before this one */
  log: 8,
  /** id, flat headers, protocol: the upgrade is accepted; the WebSocket is open from here on */
  accept: 9,
  /** id, data: a message to the client */
  send: 10,
  /** id, code (0: none), reason */
  close: 11,
  /** id, messages dispatched, bytes that may follow in their place */
  taken: 12,
} as const;

/** The body of an `invoke` or `respond` frame: none, all of it, or (true) chunks to follow. */
export type FrameBody = null | Uint8Array | true;

/** The start of a response, made ready for the wire by the worker. */
export interface Reply {
  status: number;
  /**
   * What `responseStart` makes, header lines, an empty line, and the body when it is short ASCII text: Latin-1
   * throughout.
   */
  text: string;
  /** What follows the text: nothing, these bytes, or (true) chunks. */
  body: FrameBody;
  /** Bytes that chunks must add up to; -1 when the handler did not say. */
  announcedBytes: number;
}

/** Bits of the flags of a `respond` frame: `waitUntil` goes on. */
export const replyFlags = { pending: 1 } as const;

/** Methods that travel as numbers. */
export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const;

/** Why an invocation was aborted, by the index sent in the frame. */
export const abortReasons = ['client-gone', 'timeout', 'shutdown'] as const;

/** One field of a frame. Only what structured clone takes cheaply. */
export type FrameField = number | string | boolean | null | Uint8Array | readonly string[] | Record<string, unknown>;

/** What a worker needs to serve a function. */
export interface Assignment {
  app: string;
  release: string;
  /** Absolute path of the release's folder. */
  releaseDir: string;
  name: string;
  route: string;
  /** Path of the bundle from the release's folder. */
  bundle: string;
  commonjs: boolean;
  /** Settings from fnrun.json, which win over the module's own. */
  settings: Record<string, unknown>;
  /** Settings from fnrun.json that the module's own win over. */
  defaults: Record<string, unknown>;
  env: Record<string, string>;
  /** Databases that its code may use, by name. */
  databases: Record<string, DatabaseSettings>;
  /** Development: responses tell what they took of databases. */
  dev: boolean;
}

/** What a worker may have of a database. All numbers are states, not steps: a message more or less does no harm. */
export interface DatabaseToWorker {
  type: 'database';
  name: string;
  /** Permits for a connection that the worker was given so far. */
  granted: number;
  /** Connections that it is asked to give back. */
  recall: number;
  /** Permits that are out, and how many there are for this process. */
  used: number;
  limit: number;
  /** Connections of threads that have died, by the server's numbers: to be ended and looked for. */
  orphans: number[];
  /** The worker is about to end: all that is not in use is to be closed. */
  ending: boolean;
}

/** What a worker wants and has of a database. */
export interface DatabaseToHost {
  type: 'database';
  name: string;
  /** Permits wanted beside those it has. */
  want: number;
  /** Permits that have arrived so far: tells the host which grants are still on their way. */
  seen: number;
  /** Permits that were given back so far: their connections are gone. */
  returned: number;
  /** The server's numbers of its open connections. */
  ids: number[];
  /** Orphans that the server does not know any more. */
  gone: number[];
  figures: DatabaseFigures;
}

/** Use of a database since a worker's start. */
export interface DatabaseFigures {
  queries: number;
  rows: number;
  /** Time spent waiting for connections, and for statements, in ms. */
  waitMs: number;
  queryMs: number;
  /** Invocations that got no connection in time. */
  busy: number;
}

/** Control messages from host to worker. */
export type ToWorkerControl =
  | { type: 'serve'; assignment: Assignment }
  /** Load each in turn and report; the thread serves nothing afterwards. */
  | { type: 'check'; assignments: Assignment[] }
  /** The function goes on serving under the name of a newer release with the same code. */
  | { type: 'relabel'; release: string }
  | DatabaseToWorker;

/** Control messages from worker to host. */
export type ToHostControl =
  /** First of all: the thread's id in the kernel, null where that cannot be known, and in Node. */
  | { type: 'thread'; tid: number | null; threadId: number }
  /** The function needed what was not loaded of fetch: threads for this app had better have it. */
  | { type: 'fetch' }
  | { type: 'loaded'; name: string; ms: number; inspection: unknown; error: unknown }
  /** A throw outside any invocation's promise: the thread must be replaced. */
  | { type: 'faulty'; message: string }
  | DatabaseToHost;
