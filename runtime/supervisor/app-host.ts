import type { Socket } from 'node:net';
import type { ActivateResult, HostStats, LoadResult } from '../contract/ipc.ts';
import type { LogRecord } from '../contract/log.ts';

/** A release on disk, and the environment it runs with. */
export interface ReleaseRef {
  release: string;
  releaseDir: string;
  env: Record<string, string>;
}

/** What the supervisor of one app is made of. */
export interface AppHostOptions {
  app: string;
  /** Development: stacks in problem documents, access lines in the log. @default false */
  dev?: boolean;
  /** Gets every log line of the app. */
  onLog: (record: LogRecord) => void;
  /** Further arguments of node for the host process, which its threads get too; the benchmarks profile with them. */
  execArgv?: readonly string[];
}

/**
 * The supervisor's handle on one app: it starts the app host process when it is needed,
 * starts it again when it dies (with backoff), and holds connections meanwhile.
 */
export interface AppHost {
  /** Makes `live` the release served from the next host start on, without starting one. */
  setLive(live: ReleaseRef): void;
  /** Hands over a connection accepted with `pauseOnConnect`; starts the host when none runs. */
  handle(socket: Socket): void;
  /** Loads a candidate beside the live release and, with `check`, every function of it in a worker. */
  load(candidate: ReleaseRef, options: { check: boolean; fresh?: boolean }): Promise<LoadResult>;
  /** Makes a loaded candidate the live release: warm first, then atomic, old workers drain. */
  activate(candidate: ReleaseRef): Promise<ActivateResult>;
  /** Drops a loaded candidate. */
  discard(release: string): Promise<void>;
  /** Figures of the running host; null when none runs. */
  stats(): Promise<HostStats | null>;
  status(): AppHostStatus;
  /** Drains and ends the host process. Idempotent. */
  stop(): Promise<void>;
}

export interface AppHostStatus {
  state: 'stopped' | 'starting' | 'running' | 'backoff' | 'stopping';
  pid: number | null;
  restarts: number;
  /** Why the last host ended, in one line. */
  lastExit: string | null;
}
