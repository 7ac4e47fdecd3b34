import type { BuildOptions, BuildProblem, BuildResult } from '../builder/build.ts';
import type { HostStats } from '../runtime/contract/ipc.ts';
import type { AppLimits } from '../runtime/contract/app-limits.ts';
import type { AppHost } from '../runtime/supervisor/app-host.ts';
import type { AppUser } from '../runtime/supervisor/app-user.ts';
import type { HostCgroup } from '../runtime/supervisor/cgroup.ts';
import type { LogFile } from '../runtime/supervisor/log-file.ts';
import type { Account } from './account/account.ts';
import type { BuildPlaces } from './build/places.ts';
import type { EnvVault } from './env/vault.ts';
import type { Lane } from './lane.ts';
import type { AppPaths } from './paths.ts';
import type { Previews } from './previews/previews.ts';
import type { Redaction } from './redaction/redaction.ts';
import type { Rejection } from './rejection.ts';
import type { SiteDomain } from '../router/control/domain-types.ts';
import type { LiveSettings } from './sites/live-settings.ts';
import type { Root } from './sites/root.ts';
import type { Sites } from './sites/sites.ts';
import type { Slots } from './slots.ts';
import type { PushStep } from './steps.ts';
import type { DeploymentRecord, Store } from './store/store.ts';

/** What deployments are made with; the composition root fills it in. */
export interface DeployContext {
  store: Store;
  vault: EnvVault;
  build: (options: BuildOptions) => Promise<BuildResult>;
  /** Says that a build of the app is about to come: what it needs can start. */
  warmBuild: (places: BuildPlaces) => void;
  formatProblems: (
    problems: readonly BuildProblem[],
    options: { color: boolean; kind?: 'error' | 'warning' },
  ) => string;
  /** URL of an app at the gateway; null without one. */
  urlOf: (app: string) => string | null;
  /** ms since the epoch. */
  now: () => number;
  /** One line for whoever runs the server. */
  log: (line: string) => void;
  /** Watches a release that has just gone live in the place of `before`, and takes it back when it does badly. */
  watch: (app: ManagedApp, since: WatchStart) => Promise<void>;
  /** Aborts when the daemon stops. */
  signal: AbortSignal;
  /** Places for builds, of all apps together. */
  builds: Slots;
  /** A group for a command of an app; null where there are none. */
  cgroupFor: (app: string, limits: AppLimits) => HostCgroup | null;
  /** Releases of each app that are kept beside the live one. */
  releasesKept: number;
  /** All of them, previews included; made after the context is. */
  apps: () => readonly ManagedApp[];
  /** Those of all apps; made after the apps are. */
  previews: () => Previews;
  /** Who has which host name; made after the apps are. */
  sites: () => Sites;
  /** Who looks after nginx and certificates. */
  root: Root;
  /** Called at each step of a push; tests end the daemon there. */
  onStep?: ((step: PushStep) => void) | undefined;
}

/** One app as the daemon holds it. */
export interface ManagedApp {
  readonly name: string;
  readonly createdAtMs: number;
  readonly paths: AppPaths;
  readonly host: AppHost;
  /** Whom its processes belong to; null: to the daemon's user. */
  readonly user: AppUser | null;
  readonly lane: Lane;
  readonly log: LogFile;
  /** Keeps the values of its variables out of logs, accounts and errors. */
  readonly redaction: Redaction;
  /** What serves; null before the first deployment. */
  live: LiveRelease | null;
  /** The app that it is a preview of; null: it is none. */
  readonly previewOf: string | null;
  /** Host names that were added to it on the server; those of fnrun.json are its live release's. */
  domains: readonly SiteDomain[];
  /** When a preview was last asked for anything. */
  usedAtMs: number;
  /** The branch that deploys, as it was set for this app; null: main, or master while there is no main. */
  branch: string | null;
  /** Full name of the branch that deploys. */
  production: string;
  /** Deployments that wait or are under way, by id. */
  readonly running: Map<string, Running>;
  /** Outcomes that could not be written; tried again with the next deployment. */
  readonly unrecorded: (() => Promise<void>)[];
  /** The newest accepted push, which the post-receive hook asks for. */
  activation: Activation | null;
  activations: number;
  /** Stops watching the live release; null when it is not watched. */
  unwatch: (() => void) | null;
}

/** The live release, as the gateway and the control API show it. */
export interface LiveRelease {
  release: string;
  env: string | null;
  deployment: string;
  commit: string;
  functions: number;
  domains: string[];
  settings: LiveSettings;
  sinceMs: number;
}

/** What a new release is compared with. */
export interface WatchStart {
  before: LiveRelease;
  /** Of the process that served it, just before the switch; null when none ran. */
  stats: HostStats | null;
  /** The deployment that made the new release live. */
  deployment: string;
}

/** A deployment that waits or is under way, as others may reach it. */
export interface Running {
  readonly deployment: DeploymentRecord;
  /** All that is told of it, from its first line to the end of the deployment. */
  readonly log: Account;
  /** Ends it for this reason, unless it is accepted: false then. */
  stop(why: Rejection): boolean;
}

/** A push that was accepted, from then on until the next one. */
export interface Activation {
  commit: string;
  account: Account;
}
