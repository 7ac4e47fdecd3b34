import type { LogRecord } from '../../runtime/contract/log.ts';
import type { HealthBody, LeftBody } from './server-types.ts';
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
  MigrationsBody,
  ProcessesBody,
  ReceiveBody,
} from './types.ts';
import type { DatabaseBudgetsBody } from './database-types.ts';
import type { DomainChangeBody, DomainsBody, SiteBody } from './domain-types.ts';
import type { AccessBody, AddKeyBody, GitService, KeyBody, OpenedBody } from './key-types.ts';

/** Who asks: the id of an ssh key; null: the server's own user, who may do everything. */
export type Caller = string | null;

/** What somebody wants to do. `own`: what everybody may, the answer being cut to what is theirs. */
export type AccessWanted =
  | { right: 'own' | 'create' | 'admin' }
  /** `see` it, `push` to it, or `change` what is live. */
  | { right: 'see' | 'push' | 'change'; app: string };

/** What the control API gives access to. Every method that names an app rejects with FN_NO_SUCH_APP. */
export interface ControlService {
  health(): HealthBody;
  /**
   * Lets another server of this machine have the home: resolves when this one has let go of it and deploys nothing more. Its
   * apps serve until the other one does. Rejects with FN_BUSY while deployments are under way for long.
   */
  leave(): Promise<LeftBody>;
  /** Whether it has been asked to. */
  isLeaving(): boolean;
  /** Rejects with FN_FORBIDDEN. The API asks before anything else. */
  authorize(caller: string, wanted: AccessWanted): Promise<void>;
  getAccess(caller: Caller): Promise<AccessBody>;
  /** Where the app's repository is. Rejects with FN_FORBIDDEN. */
  openRepository(app: string, request: { service: GitService; caller: Caller }): Promise<OpenedBody>;
  listKeys(): Promise<KeyBody[]>;
  addKey(key: AddKeyBody): Promise<KeyBody>;
  removeKey(name: string): Promise<void>;
  listApps(caller: Caller): Promise<AppBody[]>;
  getApp(app: string): Promise<AppBody>;
  createApp(name: string, options: { branch: string | null; caller: Caller }): Promise<AppBody>;
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
  /** What the live apps may open on database servers. */
  listDatabaseBudgets(): Promise<DatabaseBudgetsBody>;
  /** What the app's database has had. Rejects with FN_NO_DATABASE, or FN_DB_UNAVAILABLE. */
  listMigrations(app: string): Promise<MigrationsBody>;
  /** Rejects with FN_SECRET_KEY when `values` are asked for and cannot be read. */
  readEnv(app: string, options: { values: boolean; previews: boolean }): Promise<EnvBody>;
  /** With `previews`: what the app's previews have beside its own variables. */
  changeEnv(
    app: string,
    change: Required<EnvChangeBody> & { previews: boolean; caller: Caller },
  ): Promise<EnvChangedBody>;
  /** What nginx must know of every app. */
  listSites(): SiteBody[];
  /** Waits for root to have got to `request`, if one is named, but not for ever. */
  readDomains(app: string, options: { request: number | null }): Promise<DomainsBody>;
  /** Rejects with FN_BAD_DOMAIN, FN_DOMAIN_TAKEN. */
  changeDomains(app: string, change: Required<DomainChangeBody>): Promise<DomainsBody>;
  /** Decides on a push. `signal` aborts when the hook is gone. */
  receive(
    app: string,
    request: { body: ReceiveBody; signal: AbortSignal; caller: Caller },
  ): AsyncIterable<AccountEvent>;
  /** Follows the activation of an accepted push. */
  activate(app: string, request: { body: ActivateBody; signal: AbortSignal }): AsyncIterable<AccountEvent>;
  readLogs(app: string, query: LogsQuery): AsyncIterable<LogRecord>;
  listProcesses(caller: Caller): Promise<ProcessesBody>;
}

/** A rollback or a redeployment. */
export interface SwitchRequestBody {
  source: Extract<DeploymentSource, 'rollback' | 'redeploy'>;
  /** Release id or the start of one; null: the default. */
  release: string | null;
  caller: Caller;
}

/** What to read of an app's log. */
export interface LogsQuery {
  lines: number;
  follow: boolean;
  /** Only lines of this function; null: all. */
  function: string | null;
  signal: AbortSignal;
}
