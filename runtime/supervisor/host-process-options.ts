import type { Socket } from 'node:net';
import { httpLimits } from '../contract/limits.ts';
import type { LogRecord } from '../contract/log.ts';
import type { AppUser } from './app-user.ts';
import type { Cgroups } from './cgroup.ts';
import type { HostProcess } from './host-process.ts';
import type { LaunchPlan } from './launch-plan.ts';

/** What a host process is started with. */
export interface HostProcessOptions {
  app: string;
  dev: boolean;
  plan: LaunchPlan;
  execArgv: readonly string[];
  /** Folders with the app's own files; null: it may read any file. */
  readable: readonly string[] | null;
  /** Null: its limits are watched from outside only. */
  cgroups: Cgroups | null;
  /** Whose process it is; null: the daemon's user. */
  user: AppUser | null;
  headTimeoutMs: number;
  onLog: (record: LogRecord) => void;
  /** A thread of it does not end. */
  onStuck: (host: HostProcess, reason: string) => void;
  /** It gave a connection back that it had been passed. */
  onReturned: (socket: Socket) => void;
}

/** For who says nothing else. */
export const hostDefaults = {
  dev: false,
  execArgv: [],
  readable: null,
  cgroups: null,
  user: null,
  headTimeoutMs: httpLimits.headersTimeoutMs,
} satisfies Partial<HostProcessOptions>;
