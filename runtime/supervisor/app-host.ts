import type { Socket } from 'node:net';
import type { AppLimits } from '../contract/app-limits.ts';
import type { AppPermissions } from '../contract/app-permissions.ts';
import type { ActivateResult, HostStats, LoadResult, ProbeResult } from '../contract/ipc.ts';
import type { LogRecord } from '../contract/log.ts';
import type { AppUser } from './app-user.ts';
import type { Cgroups } from './cgroup.ts';
import type { ConnectionShares } from './connection-shares.ts';
import type { HostExit } from './exits.ts';
import type { AppPolicy } from './launch-plan.ts';
import type { SharedSocket } from './shared-socket.ts';

/** A release on disk, and the environment it runs with. */
export interface ReleaseRef {
  release: string;
  releaseDir: string;
  env: Record<string, string>;
}

/** What the supervisor of one app is made of. */
export interface AppHostOptions {
  app: string;
  /** Development: stacks in problem documents, access lines in the log, no stop when idle. @default false */
  dev?: boolean;
  /** Gets every log line of the app. */
  onLog: (record: LogRecord) => void;
  /** Further arguments of node for the host process, which its threads get too; the benchmarks profile with them. */
  execArgv?: readonly string[];
  /** Folders with the app's own files, which its code may read. @default it may read any file */
  readable?: readonly string[];
  /** What the operator lets the app have. @default anything */
  policy?: AppPolicy;
  /** Splits database connections among processes. @default one of its own, for the processes of this app */
  connectionShares?: ConnectionShares;
  /** It serves a preview. @default false */
  isPreview?: boolean;
  /** Where the kernel holds the app to its limits. @default null: they are watched from outside only */
  cgroups?: Cgroups | null;
  /** The user that the app's processes run as. @default null: the daemon's */
  user?: AppUser | null;
  /** How long the head of a request may take, in ms; 408 then. @default httpLimits.headersTimeoutMs */
  headTimeoutMs?: number;
}

/**
 * The supervisor's handle on one app: it starts the app host process when it is needed,
 * starts it again when it dies (with backoff), and holds connections meanwhile.
 */
export interface AppHost {
  /** Makes `live` the release served from the next host start on, without starting one. */
  setLive(live: ReleaseRef): void;
  /** Lets the processes of the app accept from its socket themselves; `stop` closes it. */
  share(socket: SharedSocket): void;
  /** Hands over a connection accepted with `pauseOnConnect`; starts the host when none runs. */
  handle(socket: Socket): void;
  /**
   * Loads a candidate beside the live release (in a process of its own when it needs other permissions) and,
   * with `check`, every function of it in a worker. Rejects with FN_BAD_SETTINGS when it asks for what the
   * operator does not give.
   */
  load(candidate: ReleaseRef, options: { check: boolean; fresh?: boolean }): Promise<LoadResult>;
  /** Asks a loaded candidate's functions what their `check` settings name. Rejects when it is not loaded any more. */
  probe(release: string): Promise<ProbeResult>;
  /** Makes a loaded candidate the live release: warm first, then atomic, old workers drain. */
  activate(candidate: ReleaseRef): Promise<ActivateResult>;
  /** Drops a loaded candidate. */
  discard(release: string): Promise<void>;
  /** Figures of the running host; null when none runs. */
  stats(): Promise<HostStats | null>;
  status(): AppHostStatus;
  /**
   * Drains and ends the host process. With `finish`, for when another server has replaced the app's socket, not before what
   * came to this one is over: connections get one response more. Idempotent.
   */
  stop(options?: { finish?: boolean }): Promise<void>;
}

export interface AppHostStatus {
  state: 'stopped' | 'starting' | 'running' | 'backoff' | 'stopping';
  pid: number | null;
  restarts: number;
  /** Why the last host ended, in one line. */
  lastExit: string | null;
  /** The last ends of its processes, newest first; those that stopped when idle or with the server are not among them. */
  exits: readonly HostExit[];
  /** In state `backoff`: when the next start is tried, ISO 8601. */
  retryAt: string | null;
  /** Processes that were replaced and finish what they have. */
  leaving: number;
  /** Null before the first start. */
  limits: AppLimits | null;
  permissions: AppPermissions | null;
  /** Null when no process runs, or where there is no /proc. */
  use: HostUse | null;
}

/** What an app's process uses at the moment. */
export interface HostUse {
  /** Resident, its child processes included. */
  memoryBytes: number;
  /** Child processes. */
  processes: number;
  /** Kernel threads, those of the children included. */
  tasks: number;
  openFiles: number | null;
  /** CPUs used over the last seconds. */
  cpus: number;
  /** Whether the kernel holds it to its limits (`cgroup`), or the daemon watches (`watch`). */
  heldBy: 'cgroup' | 'watch';
}
