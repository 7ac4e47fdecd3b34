import type { AppLimits } from '../../runtime/contract/app-limits.ts';
import type { AppPermissions } from '../../runtime/contract/app-permissions.ts';
import type { HostStats } from '../../runtime/contract/ipc.ts';
import type { Problem } from '../../runtime/contract/errors.ts';

/**
 * Bodies of the control API (`<home>/run/control.sock`, HTTP/1.1, see docs/control-api.md).
 * Whoever comes by an ssh key names it in the header `fnrun-key`, and may do what the key may.
 * Errors are problem documents (`ControlProblem`). Times are ISO 8601 in UTC.
 */

/** One app, as in `GET /v1/apps`, `GET /v1/apps/:app` and the answer to `POST /v1/apps` (201). */
export interface AppBody {
  name: string;
  createdAt: string;
  /** Absolute path of the bare repository: what `git remote add` takes on this machine. */
  repository: string;
  /** Absolute path of the app's HTTP socket. */
  socket: string;
  /** URL at the gateway; null without a gateway. */
  url: string | null;
  /** Host names from fnrun.json of the live release. */
  domains: string[];
  /** The branch that deploys. */
  branch: string;
  /** Null: it is no preview. */
  preview: PreviewBody | null;
  live: LiveBody | null;
}

/** What a preview is of, and how long it stays. */
export interface PreviewBody {
  app: string;
  /** When it is removed, if nobody asks for it until then. */
  expiresAt: string;
}

/** The live release of an app. */
export interface LiveBody {
  release: string;
  deployment: string;
  commit: string;
  /** Number of functions. */
  functions: number;
  since: string;
}

/** `GET /v1/apps` */
export interface AppsBody {
  apps: AppBody[];
}

/** Body of `POST /v1/apps`. */
export interface CreateAppBody {
  name: string;
  /** The branch that deploys. @default main, or master while there is no main */
  branch?: string;
}

/** Body of `PATCH /v1/apps/:app`: what is to be changed. */
export interface ChangeAppBody {
  /** The branch that deploys; null: main, or master while there is no main. */
  branch?: string | null;
}

/** `auto-rollback`: the server took back a release that failed. */
export type DeploymentSource = 'push' | 'env' | 'rollback' | 'redeploy' | 'auto-rollback';
/** `cancelled`: ended by `fnrun deploys --cancel`, or by a newer push. */
export type DeploymentState = 'running' | 'succeeded' | 'failed' | 'cancelled';
/** Where a deployment is; deploy/steps.ts tells what has happened by then. */
export type DeploymentStep = 'queued' | 'export' | 'build' | 'check' | 'command' | 'accepted' | 'activate' | 'done';

/** Milliseconds at each step; `accepted` is the time that git took to move the ref. */
export type StepsMs = Partial<Record<DeploymentStep, number>>;

/** One deployment. */
export interface DeploymentBody {
  /** Sorts by time; names the deployment in `GET /v1/apps/:app/deployments/:id/log`. */
  id: string;
  app: string;
  /** Null until the build made one. */
  release: string | null;
  commit: string;
  /** First line of the commit message. */
  subject: string;
  /** `refs/heads/main` */
  ref: string;
  author: string;
  source: DeploymentSource;
  /** Name of the ssh key that it came by; null: from the server's own machine. */
  key: string | null;
  state: DeploymentState;
  /** Where it is, or where it ended. */
  step: DeploymentStep;
  startedAt: string;
  finishedAt: string | null;
  durationMs: number | null;
  /** How long it was at each step; those that it has left. */
  stepsMs: StepsMs;
  /** Why it failed, in one line. */
  error: string | null;
  /** What became of it later, in one line: why it was taken back. */
  note: string | null;
  /** Whether this deployment is the one that serves now. */
  live: boolean;
}

/** `GET /v1/apps/:app/deployments/:id` */
export interface DeploymentDetailBody extends DeploymentBody {
  /** Of its release; null when that is not (or no longer) there. */
  functions: FunctionSizeBody[] | null;
}

/** Size of one function of a release. */
export interface FunctionSizeBody {
  name: string;
  /** The bundle with the chunks it imports; null: it is gone since the release before. */
  bytes: number | null;
  /** In the release that was live before; null: it is new. */
  bytesBefore: number | null;
}

/** `GET /v1/apps/:app/deployments?limit=20`, newest first. */
export interface DeploymentsBody {
  app: string;
  deployments: DeploymentBody[];
}

/** Body of `POST /v1/apps/:app/rollback` and `…/redeploy`; the answer is a `DeploymentBody`. */
export interface SwitchBody {
  /** Release id or the start of one. Rollback: default the release before the live one. Redeploy: default the live one. */
  release?: string;
}

/** `GET /v1/apps/:app/env`, by name; with `?values=1` every variable has its value. */
export interface EnvBody {
  app: string;
  variables: VariableBody[];
}

/** One variable of an app. */
export interface VariableBody {
  name: string;
  /** Size of its value in UTF-8. */
  bytes: number;
  value?: string;
}

/** Body of `POST /v1/apps/:app/env`: variables to set, and names to unset. */
export interface EnvChangeBody {
  set?: Record<string, string>;
  unset?: string[];
}

/** Answer to `POST /v1/apps/:app/env`, once it is live. */
export interface EnvChangedBody {
  app: string;
  /** False: every variable was as wanted already. */
  changed: boolean;
  /** Null when nothing was deployed: nothing changed, or the app has no release yet. */
  deployment: DeploymentBody | null;
}

/** One app in `GET /v1/ps`. */
export interface ProcessBody {
  app: string;
  release: string | null;
  /** Number of the system user and group that its processes run as; null: the server's user. */
  user: number | null;
  state: 'stopped' | 'starting' | 'running' | 'backoff' | 'stopping';
  pid: number | null;
  restarts: number;
  /** Why the last process ended, in one line. */
  lastExit: string | null;
  /** The last ends, newest first; a stop when idle or with the server is none. */
  exits: readonly ExitBody[];
  /** In state `backoff`: when the next start is tried. */
  retryAt: string | null;
  /** Processes that were replaced and finish what they have. */
  leaving: number;
  /** In force; null when no process runs. */
  limits: AppLimits | null;
  permissions: AppPermissions | null;
  /** Null when no process runs, or where there is no /proc. */
  use: UseBody | null;
  /** Null when no process runs. */
  stats: HostStats | null;
}

/** How one process of an app ended. */
export interface ExitBody {
  time: string;
  reason: string;
  /** What it said last on standard error. */
  lastWords: string | null;
  uptimeMs: number;
  /** Functions that had invocations shortly before, with their number. */
  inFlight: Record<string, number>;
}

/** What an app's process uses. */
export interface UseBody {
  /** Resident, its child processes included. */
  memoryBytes: number;
  /** Child processes. */
  processes: number;
  /** Threads of the kernel, those of the children included. */
  tasks: number;
  openFiles: number | null;
  /** CPUs used over the last seconds. */
  cpus: number;
  /** Whether the kernel holds it to its limits (`cgroup`), or the server watches (`watch`). */
  heldBy: 'cgroup' | 'watch';
}

/** `GET /v1/ps` */
export interface ProcessesBody {
  daemon: { pid: number; uptimeMs: number; rssBytes: number };
  apps: ProcessBody[];
}

/** One ref that a push wants to move; all zeros stand for "does not exist". */
export interface RefUpdate {
  old: string;
  new: string;
  ref: string;
}

/** Body of `POST /v1/apps/:app/receive`, sent by the pre-receive hook. */
export interface ReceiveBody {
  updates: RefUpdate[];
  /** git's quarantine of the pushed objects. */
  quarantine: { objectDirectory: string; alternates: string; path: string };
  /** When the hook started, in ms since the epoch: the account's total counts from here. */
  startedAtMs: number;
  color: boolean;
}

/** Body of `POST /v1/apps/:app/activate`, sent by the post-receive hook. */
export interface ActivateBody {
  updates: RefUpdate[];
  color: boolean;
}

/** One line of the NDJSON stream that answers `receive` and `activate`; `end` comes last. */
export type AccountEvent = { type: 'line'; text: string } | { type: 'end'; ok: boolean };

/**
 * `GET /v1/apps/:app/logs?follow=1&function=F&lines=N` answers NDJSON: one `LogRecord`
 * (runtime/contract/log.ts) a line, oldest first. Default 100 lines.
 */
export type { LogRecord } from '../../runtime/contract/log.ts';

/** Every error answer of the control API; `hint` is the one thing to do. */
export interface ControlProblem extends Problem {
  hint?: string;
}

/** `GET /v1/apps/:app/migrations`, in the order they are applied in. */
export interface MigrationsBody {
  app: string;
  /** The database, without user and password. */
  database: string;
  migrations: MigrationBody[];
}

/** One file of migrations/. */
export interface MigrationBody {
  name: string;
  /** `pending`: in the live commit, and not applied; `running`: being applied now, or broken off. */
  state: 'applied' | 'failed' | 'running' | 'pending';
  /** When it was applied, or failed; null: pending. */
  appliedAt: string | null;
  tookMs: number | null;
  /** How many of its statements ran and stay; null: pending. */
  statements: number | null;
  /** The app that applied it, and with which commit; null: pending. */
  by: string | null;
  commit: string | null;
  /** Why it failed. */
  error: string | null;
}
