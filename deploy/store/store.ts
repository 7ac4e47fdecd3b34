import type { DeploymentSource, DeploymentState, DeploymentStep, StepsMs } from '../../router/control/types.ts';
import type { SiteDomain } from '../../router/control/domain-types.ts';
import type { KeyGrant } from '../../router/control/key-types.ts';

/** An app, and the deployment that serves now. */
export interface AppRecord {
  name: string;
  createdAtMs: number;
  liveDeployment: string | null;
  /** The environment that the next release gets, that of the live one once there is one; null: no variables. */
  env: string | null;
  /** The branch that deploys; null: main, or master while there is no main. */
  branch: string | null;
  /** The app that it is a preview of: a release of the branch `branch` of that app; null: it is an app. */
  previewOf: string | null;
  /** When somebody last asked a preview for anything, in ms since the epoch; 0 for apps. */
  usedAtMs: number;
  /** Of an app: what its previews have beside its own variables; of a preview: what is its own. An id, or null. */
  overlay: string | null;
}

/** What an app is made with. */
export interface NewApp {
  createdAtMs: number;
  branch?: string | null;
  previewOf?: string | null;
}

/** One version of an app's environment; it never changes. */
export interface EnvVersion {
  app: string;
  id: string;
  createdAtMs: number;
  /** Encrypted values by name. */
  variables: Record<string, string>;
}

/** A release that passed its boot check and lies in the app's releases folder. */
export interface ReleaseRecord {
  app: string;
  id: string;
  /** Name of its folder. */
  build: string;
  /** Its environment; null: no variables. */
  env: string | null;
  createdAtMs: number;
  functions: number;
  domains: string[];
}

/** One deployment. Times are ms since the epoch. */
export interface DeploymentRecord {
  /** Sorts by time. */
  id: string;
  app: string;
  release: string | null;
  commit: string;
  subject: string;
  ref: string;
  author: string;
  source: DeploymentSource;
  /** Name of the ssh key that it came by; null: from the server's own machine. */
  key: string | null;
  state: DeploymentState;
  step: DeploymentStep;
  startedAtMs: number;
  finishedAtMs: number | null;
  durationMs: number | null;
  stepsMs: StepsMs;
  error: string | null;
  /** Why it was taken back after it had gone live. */
  note: string | null;
}

/** An ssh key and what it may do. */
export interface KeyRecord extends KeyGrant {
  id: string;
  name: string;
  type: string;
  /** The public key, base64. */
  blob: string;
  fingerprint: string;
  createdAtMs: number;
}

/** Which numbers users of apps may have. */
export interface UserChoice {
  first: number;
  last: number;
  taken: ReadonlySet<number>;
  nowMs: number;
}

/** What may change of a deployment while it runs. */
export type DeploymentPatch = Partial<
  Pick<
    DeploymentRecord,
    'release' | 'state' | 'step' | 'finishedAtMs' | 'durationMs' | 'stepsMs' | 'error' | 'note' | 'author' | 'subject'
  >
>;

/**
 * The state that outlives the daemon. A resolved promise means that the write is on disk.
 * Methods reject with FnrunError only where noted; anything else is a fault of the store.
 */
export interface Store {
  listApps(): Promise<AppRecord[]>;
  getApp(name: string): Promise<AppRecord | null>;
  /** Rejects with FN_APP_EXISTS. */
  createApp(name: string, options: NewApp): Promise<AppRecord>;
  setUsed(name: string, usedAtMs: number): Promise<void>;
  setBranch(name: string, branch: string | null): Promise<void>;
  /** Removes the app with its previews, releases and deployments, and from the apps of every key; absent apps are fine. */
  removeApp(name: string): Promise<void>;

  /**
   * The number of the user of an app: the one it has, else one that was never given away, else the one that has been
   * free for longest; null when there is none. One that is out of range or `taken` by others is given back.
   */
  assignUser(app: string, options: UserChoice): Promise<number | null>;
  freeUser(app: string, nowMs: number): Promise<void>;
  /** Apps that have a user. */
  listUsers(): Promise<{ id: number; app: string }[]>;

  /** Host names that were added to an app on the server, by name. */
  listDomains(app: string): Promise<SiteDomain[]>;
  /** All at once; one that the app has gets the new time. Rejects with FN_DOMAIN_TAKEN when another app has one. */
  changeDomains(
    app: string,
    change: { add: readonly string[]; remove: readonly string[]; atMs: number },
  ): Promise<void>;

  /**
   * Which app has a host name that is in the fnrun.json of live releases: the one whose was so first, until a release
   * without it goes live. Kept by `goLive`.
   */
  listClaims(): Promise<ReadonlyMap<string, string>>;

  /** Records a release, or does nothing when it is recorded. */
  saveRelease(release: ReleaseRecord): Promise<void>;
  getRelease(app: string, id: string): Promise<ReleaseRecord | null>;
  /** Newest first. */
  listReleases(app: string): Promise<ReleaseRecord[]>;
  removeRelease(app: string, id: string): Promise<void>;

  /** Records a version, or does nothing when it is recorded. */
  saveEnv(env: EnvVersion): Promise<void>;
  getEnv(app: string, id: string): Promise<EnvVersion | null>;
  /** Makes a version the app's current one without a deployment. */
  useEnv(app: string, id: string | null): Promise<void>;
  /** Removes the versions that neither a release nor the app names. */
  useOverlay(app: string, id: string | null): Promise<void>;
  trimEnvs(app: string): Promise<void>;

  createDeployment(deployment: DeploymentRecord): Promise<void>;
  updateDeployment(id: string, patch: DeploymentPatch): Promise<void>;
  getDeployment(id: string): Promise<DeploymentRecord | null>;
  /** Newest first. */
  listDeployments(app: string, options: { limit: number }): Promise<DeploymentRecord[]>;
  /** Removes all but the newest `keep` and the live one; resolves to the ids removed. */
  trimDeployments(app: string, options: { keep: number }): Promise<string[]>;

  /** Marks the deployment accepted and records its release, at once. */
  acceptDeployment(id: string, release: ReleaseRecord, patch: DeploymentPatch): Promise<void>;
  /** Marks the deployment succeeded, makes it the app's live one and its release's environment the current one, at once. */
  goLive(id: string, options: { finishedAtMs: number; durationMs: number; stepsMs?: StepsMs }): Promise<void>;

  /** By name. */
  listKeys(): Promise<KeyRecord[]>;
  getKey(id: string): Promise<KeyRecord | null>;
  addKey(key: KeyRecord): Promise<void>;
  /** Resolves to whether there was one. */
  removeKey(name: string): Promise<boolean>;
  /** Adds an app to those of a key. */
  grantApp(key: string, app: string): Promise<void>;

  close(): Promise<void>;
}
