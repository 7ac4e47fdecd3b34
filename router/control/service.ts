import type { LogRecord } from '../../runtime/contract/log.ts';
import type {
  AccountEvent,
  ActivateBody,
  AppBody,
  ChangeAppBody,
  DeploymentBody,
  DeploymentDetailBody,
  DeploymentSource,
  EnvBody,
  EnvChangeBody,
  EnvChangedBody,
  HealthBody,
  ProcessesBody,
  ReceiveBody,
} from './types.ts';

/** What the control API gives access to. Every method that names an app rejects with FN_NO_SUCH_APP. */
export interface ControlService {
  health(): HealthBody;
  listApps(): Promise<AppBody[]>;
  getApp(app: string): Promise<AppBody>;
  createApp(name: string, options: { branch: string | null }): Promise<AppBody>;
  changeApp(app: string, change: ChangeAppBody): Promise<AppBody>;
  removeApp(app: string): Promise<void>;
  /** Newest first. */
  listDeployments(app: string, options: { limit: number }): Promise<DeploymentBody[]>;
  getDeployment(app: string, deployment: string): Promise<DeploymentDetailBody>;
  /** What a deployment told its pusher so far. */
  readAccount(app: string, deployment: string): Promise<string>;
  /** What it told and tells, to its end. */
  followAccount(app: string, options: { id: string; signal: AbortSignal }): AsyncIterable<AccountEvent>;
  /** Rejects with FN_TOO_LATE when it is accepted or over. */
  cancelDeployment(app: string, deployment: string): Promise<DeploymentBody>;
  switchRelease(app: string, request: SwitchRequestBody): Promise<DeploymentBody>;
  /** Rejects with FN_SECRET_KEY when `values` are asked for and cannot be read. */
  readEnv(app: string, options: { values: boolean; previews: boolean }): Promise<EnvBody>;
  /** With `previews`: what the app's previews have beside its own variables. */
  changeEnv(app: string, change: Required<EnvChangeBody>, options: { previews: boolean }): Promise<EnvChangedBody>;
  /** Decides on a push. `signal` aborts when the hook is gone. */
  receive(app: string, request: { body: ReceiveBody; signal: AbortSignal }): AsyncIterable<AccountEvent>;
  /** Follows the activation of an accepted push. */
  activate(app: string, request: { body: ActivateBody; signal: AbortSignal }): AsyncIterable<AccountEvent>;
  readLogs(app: string, query: LogsQuery): AsyncIterable<LogRecord>;
  listProcesses(): Promise<ProcessesBody>;
}

/** A rollback or a redeployment. */
export interface SwitchRequestBody {
  source: Extract<DeploymentSource, 'rollback' | 'redeploy'>;
  /** Release id or the start of one; null: the default. */
  release: string | null;
}

/** What to read of an app's log. */
export interface LogsQuery {
  lines: number;
  follow: boolean;
  /** Only lines of this function; null: all. */
  function: string | null;
  signal: AbortSignal;
}
