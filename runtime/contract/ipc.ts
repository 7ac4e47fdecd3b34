import type { FunctionInspection } from './manifest.ts';

/**
 * Messages between the daemon (or `fnrun dev`) and an app host over the IPC channel.
 * A request carries `id`; its reply the same. `connection` comes with a socket handle.
 */
export type ToHost =
  | {
      type: 'load';
      id: number;
      release: string;
      releaseDir: string;
      env: Record<string, string>;
      check: boolean;
      fresh: boolean;
    }
  | {
      type: 'activate';
      id: number;
      release: string;
      /** The app's log rate from now on. */
      logLinesPerSecond: number;
      /** Workers to have ready, by function: what the host that this one replaces has. Null: wait for none, connections wait already. */
      warm: Record<string, number> | null;
      /** Whether a function that does not load keeps the release from going live. */
      strict: boolean;
    }
  /** Ask what the functions of a loaded candidate name in their `check` setting. */
  | { type: 'probe'; id: number; release: string }
  | { type: 'discard'; id: number; release: string }
  /**
   * How many connections this process may have from now on, by database; the reply comes when it has no more. Those of
   * `inherited` were opened by processes that have ended, are part of the limits, and are to be ended where the server has not.
   */
  | {
      type: 'connections';
      id: number;
      limits: Record<string, number>;
      inherited: Record<string, OpenConnections>;
    }
  | { type: 'stats'; id: number }
  /** Whether it lives, and what it does. */
  | { type: 'ping'; id: number }
  /** Give every connection back between two of its requests; the reply comes when none is left. */
  | { type: 'handover'; id: number }
  /** Comes with a handle of the app's socket: accept from it. With `copy` the reply comes with another handle of that socket. */
  | { type: 'listen'; id: number; copy: boolean }
  /** Accept nobody any more. */
  | { type: 'unlisten'; id: number }
  /** Another server has the app: make each response the last of its connection; the reply comes when there is none left. */
  | { type: 'leave'; id: number }
  | { type: 'stop'; id: number }
  | { type: 'connection'; id: number };

export type FromHost =
  | { type: 'started' }
  /** The connection is the host's now; until then the daemon can give it to another. */
  | { type: 'accepted'; id: number }
  /** Comes with a connection that carries no request: for the next host. */
  | { type: 'returned' }
  /** The connections that it has, by database: told before one more is opened. */
  | { type: 'connections'; open: Record<string, OpenConnections> }
  /** How its threads are to be scheduled from now on; until then it is `other`. */
  | { type: 'scheduling'; policy: SchedulingPolicy }
  /** A thread does not end, whatever it is told: the process is to be replaced. */
  | { type: 'stuck'; reason: string }
  /** Comes with a handle when one was asked for. */
  | { type: 'reply'; id: number; ok: true; result: unknown }
  | { type: 'reply'; id: number; ok: false; code: string; message: string };

/** Of sched(7): `SCHED_OTHER`, which every thread begins with, or `SCHED_BATCH`, which takes the CPU from nobody when it wakes. */
export type SchedulingPolicy = 'other' | 'batch';

/** Connections of one database that a process has, or had when it ended. */
export interface OpenConnections {
  /** How many there may be: those that are being opened are among them. */
  permits: number;
  /** The server's numbers of those that are open. */
  ids: number[];
}

/** What the daemon passes to an app host as its only argument, as JSON. */
export interface HostArguments {
  app: string;
  dev: boolean;
  /** File descriptor that log records are written to. */
  logFd: number;
  /** `limits.threads` and `limits.memoryMb` of the app: both bound its threads. */
  threads: number;
  memoryMb: number;
  logLinesPerSecond: number;
  headTimeoutMs: number;
}

/** Reply to `ping`. */
export interface HostPulse {
  /** Time since it last had a connection or an invocation; 0 while it has, and while a function keeps workers. */
  idleMs: number;
  /** Invocations by function, of those that have any; at most `hostLimits.busyNamed` functions. */
  inFlight: Record<string, number>;
  /** Ready workers by function, of those that have any. */
  ready: Record<string, number>;
}

/** Result of loading one function in a worker. */
export interface BootCheckEntry {
  name: string;
  /** Not loaded again: the live release has passed with the same bytes and environment. */
  reused: boolean;
  /** Time to import the module and look at its exports. */
  ms: number;
  /** Null when loading failed. */
  inspection: FunctionInspection | null;
  error: BootCheckError | null;
}

/** Why a function did not load, in terms of the user's sources. */
export interface BootCheckError {
  /** `FN_LOAD_FAILED`, `FN_NO_HANDLER`, `FN_BAD_SETTINGS`, `FN_LOAD_TIMEOUT`, … */
  code: string;
  message: string;
  stack: string | null;
  /** From the app's root, when the stack names a source of the app. */
  file: string | null;
  line: number | null;
  column: number | null;
}

/** Reply to `load`. */
export interface LoadResult {
  release: string;
  ms: number;
  /** One entry per function when `check` was asked for, else empty. */
  functions: BootCheckEntry[];
  /** It needs a process of its own, which takes over when it goes live: set by the supervisor. */
  newProcess?: boolean;
}

/** Reply to `probe`. */
export interface ProbeResult {
  /** Functions that were asked. */
  asked: number;
  ms: number;
  failed: ProbeFailure[];
}

/** A function whose `check` was not answered well. */
export interface ProbeFailure {
  name: string;
  /** The setting `check`. */
  path: string;
  /** `answered 503` */
  reason: string;
}

/** Reply to `activate`. */
export interface ActivateResult {
  release: string;
  /** Workers of the new generation that were ready before the switch. */
  warm: number;
  /** Of these, carried over from the old generation because the function is byte for byte the same. */
  carriedOver: number;
  ms: number;
}

/** Reply to `stats`. */
export interface HostStats {
  release: string | null;
  uptimeMs: number;
  rssBytes: number;
  /** Null where there is no /proc. */
  openFiles: number | null;
  threads: number;
  /** Threads at most: what `limits.threads` and the app's memory allow. */
  threadsMax: number;
  reserve: number;
  /** Functions that wait for a thread, and idle workers that end to make room for them. */
  starving: number;
  leaving: number;
  requests: number;
  failures: number;
  inFlight: number;
  queued: number;
  droppedLogLines: number;
  /** Connections that are open, and that this process may have, of each database that was used. */
  connections: Record<string, { used: number; limit: number }>;
  functions: FunctionStats[];
}

/**
 * Whether a function gets invocations: `ok`; `backoff`: it does not load, and is not tried before `retryInMs`;
 * `open`: its workers died one after the other, and requests are refused until one more is tried.
 */
export type FunctionState = 'ok' | 'backoff' | 'open';

/** Live figures of one function, and the settings in force. */
export interface FunctionStats {
  name: string;
  route: string;
  state: FunctionState;
  /** Why the state is not `ok`, in words; null when it is. */
  reason: string | null;
  /** Time to the next try; 0 when the next request is it; null in state `ok`. */
  retryInMs: number | null;
  /** Loading, ready and draining. */
  workers: number;
  minWorkers: number;
  maxWorkers: number;
  inFlight: number;
  /** Invocations at once in one worker. */
  concurrency: number;
  queued: number;
  requests: number;
  failures: number;
  /** Responses of the handler's own with a status of 500 or above. */
  serverErrors: number;
  timeoutMs: number;
  /** V8 heap of one worker. */
  memoryMb: number;
  maxBodyBytes: number;
  /** What it used of databases since the host's start; null: nothing. */
  database: DatabaseStats | null;
}

/** Use of databases by one function; times in ms. */
export interface DatabaseStats {
  queries: number;
  rows: number;
  /** Spent waiting for a connection, and for statements. */
  waitMs: number;
  queryMs: number;
  /** Invocations that got no connection in time. */
  busy: number;
  /** Open now. */
  connections: number;
}
