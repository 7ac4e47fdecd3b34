import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FnrunError } from '../runtime/contract/errors.ts';
import { hostLimits } from '../runtime/contract/limits.ts';
import type { LogRecord } from '../runtime/contract/log.ts';
import type { AppHost, AppHostOptions } from '../runtime/supervisor/app-host.ts';
import { LogFile } from '../runtime/supervisor/log-file.ts';
import { checkAppName } from './app-name.ts';
import { listenForApp, type AppListener } from './app-listener.ts';
import type { DeployContext, ManagedApp } from './context.ts';
import { createRepository, type HookProgram, refreshRepository, sweepQuarantine } from './git/repository.ts';
import { pointHead, readRef } from './git/refs.ts';
import { Lane } from './lane.ts';
import type { AppPaths } from './paths.ts';
import { appPaths, checkSocketPath, type HomePaths, previewPaths } from './paths.ts';
import { Redaction } from './redaction/redaction.ts';
import { checkBranchName, productionBranch } from './push/updates.ts';
import type { AppRecord } from './store/store.ts';
import type { AppUsers } from './users/app-users.ts';
import { activateMissed, reconcile } from './reconcile.ts';
import { sweepLeftovers } from './retention.ts';

/** What the apps of a home are made with. */
export interface AppsOptions {
  context: DeployContext;
  paths: HomePaths;
  hook: HookProgram;
  /** Null: all apps run as the daemon's user. */
  users: AppUsers | null;
  /** `of`: the app itself, or the one that it is a preview of. */
  createHost: (options: AppHostOptions, kind: { preview: boolean; of: string }) => AppHost;
}

interface Entry {
  app: ManagedApp;
  listener: AppListener;
}

// Names in the apps folder that are no apps: the dot cannot be in an app's name.
const removedPrefix = '.removed-';

/** All apps of a home: their repositories, sockets, hosts and logs. */
export class Apps {
  readonly #options: AppsOptions;
  readonly #entries = new Map<string, Entry>();
  #list: readonly ManagedApp[] = [];
  /** Names being made or removed. */
  readonly #changing = new Set<string>();

  constructor(options: AppsOptions) {
    this.#options = options;
  }

  /** By name. The same array until an app comes or goes. */
  list(): readonly ManagedApp[] {
    return this.#list;
  }

  find(name: string): ManagedApp | null {
    return this.#entries.get(name)?.app ?? null;
  }

  /** Throws FN_NO_SUCH_APP. */
  get(name: string): ManagedApp {
    const app = this.find(name);
    if (app !== null) return app;
    throw new FnrunError('FN_NO_SUCH_APP', `There is no app ${JSON.stringify(name)}`, {
      hint: `see: fnrun apps; to make it: fnrun apps create ${name}`,
    });
  }

  /** Takes up every app of the store. An app that cannot be taken up is told in the log and left alone. */
  async start(): Promise<void> {
    const { context, users } = this.#options;
    await this.#sweepRemoved();
    const records = await context.store.listApps();
    await users?.sweep(records.map(({ name }) => name));
    await Promise.all(
      records.map(async (record) => {
        const { name } = record;
        try {
          if (!existsSync(this.#pathsOf(record).repository)) throw new Error('its repository is gone');
          await this.#takeUp(record);
        } catch (error) {
          context.log(`${name}: cannot be served: ${error instanceof Error ? error.message : String(error)}`);
        }
      }),
    );
  }

  /** Looks once more for pushes whose refs moved while the apps were taken up. Call when hooks are answered. */
  async settle(): Promise<void> {
    const { context } = this.#options;
    for (const app of this.#list) {
      await activateMissed(context, app).catch((error: unknown) => context.log(`${app.name}: ${String(error)}`));
    }
  }

  /** Makes an app. Rejects with FN_BAD_APP_NAME, FN_APP_EXISTS, FN_NAME_TOO_LONG, FN_BAD_BRANCH. */
  async create(name: string, { branch = null }: { branch?: string | null } = {}): Promise<ManagedApp> {
    checkAppName(name);
    if (branch !== null) checkBranchName(branch);
    const { context, paths, users } = this.#options;
    const own = appPaths(paths, name);
    checkSocketPath(own.socket);
    return await this.#alone(name, async () => {
      if ((await context.store.getApp(name)) !== null) {
        throw new FnrunError('FN_APP_EXISTS', `There is an app ${name} already`, { hint: 'choose another name' });
      }
      // Left by a removal that was interrupted: its record is gone.
      await this.#moveAway(name);
      // Refused before anything is made of it.
      await users?.assign(name);
      await mkdir(own.root, { recursive: true });
      await createRepository(own.repository);
      const record = await context.store.createApp(name, { createdAtMs: context.now(), branch });
      return await this.#takeUp(record);
    });
  }

  /** Makes a preview: `branch` of the app `of`, with a socket, releases and a log of its own. Rejects as `create` does. */
  async createPreview(name: string, { of, branch }: { of: ManagedApp; branch: string }): Promise<ManagedApp> {
    const { context, paths, users } = this.#options;
    const own = previewPaths(paths, name, of.name);
    checkSocketPath(own.socket);
    return await this.#alone(name, async () => {
      await this.#moveAway(name);
      await users?.assign(name);
      await mkdir(own.root, { recursive: true });
      const createdAtMs = context.now();
      return await this.#takeUp(await context.store.createApp(name, { createdAtMs, branch, previewOf: of.name }));
    });
  }

  /** Sets the branch that deploys from the next push on. Rejects with FN_NO_SUCH_APP, FN_BAD_BRANCH. */
  async setBranch(name: string, branch: string | null): Promise<ManagedApp> {
    const app = this.get(name);
    if (branch !== null) checkBranchName(branch);
    return await app.lane.run(async () => {
      await this.#options.context.store.setBranch(name, branch);
      app.branch = branch;
      app.production = await this.#production(app.paths.repository, branch);
      await pointHead(app.paths.repository, app.production);
      return app;
    });
  }

  /** Stops an app and deletes everything of it. Rejects with FN_NO_SUCH_APP. */
  async remove(name: string): Promise<void> {
    const app = this.get(name);
    const { store } = this.#options.context;
    for (const preview of this.#list.filter((each) => each.previewOf === name)) await this.remove(preview.name);
    await this.#alone(name, async () => {
      await app.lane.run(async () => {
        await this.#layDown(name);
        // The record first: what is interrupted after it is swept at the next start.
        await store.removeApp(name);
        await this.#moveAway(name);
        await rm(app.paths.accounts, { recursive: true, force: true });
        const logs = await readdir(this.#options.paths.logs).catch(() => []);
        const own = logs.filter((file) => file === `${name}.ndjson` || file.startsWith(`${name}.ndjson.`));
        await Promise.all(own.map((file) => rm(join(this.#options.paths.logs, file), { force: true })));
        await this.#options.users?.free(name);
      });
    });
  }

  /** Closes all sockets, ends all hosts and waits for what was being deployed to fail. Abort `context.signal` first. */
  async stop(): Promise<void> {
    const apps = this.list();
    await Promise.all(apps.map((app) => this.#layDown(app.name)));
    await Promise.all(apps.map((app) => app.lane.idle()));
    await this.#options.users?.idle();
  }

  /**
   * Another server takes this home over: waits until it listens for the apps, at most `hostLimits.takeOverMs`, lets each
   * finish what has come to it here, and ends its host. Abort `context.signal` first, and close the store.
   */
  async leave(): Promise<void> {
    const until = performance.now() + hostLimits.takeOverMs;
    const leaveOne = async ({ app, listener }: Entry): Promise<void> => {
      while (!listener.isReplaced && performance.now() < until) await sleep(hostLimits.takeOverLookMs);
      app.unwatch?.();
      await app.host.stop({ finish: true });
      await app.log.close();
    };
    await Promise.all([...this.#entries.values()].map(leaveOne));
    await this.#options.users?.idle();
    this.#entries.clear();
    this.#listAnew();
  }

  async #takeUp(record: AppRecord): Promise<ManagedApp> {
    const { name, createdAtMs, branch, previewOf, usedAtMs } = record;
    const { context, hook, users, createHost } = this.#options;
    const own = this.#pathsOf(record);
    // Both are there before a host is: it may read from folders that there are when it starts.
    for (const folder of [own.releases, own.cache]) await mkdir(folder, { recursive: true });
    if (previewOf === null) {
      await refreshRepository(own.repository, { app: name, hook });
      await sweepQuarantine(own.repository);
    }
    const user = (await users?.prepare(name, own)) ?? null;
    const log = new LogFile({ path: own.logFile, app: name });
    const redaction = new Redaction();
    const onLog = (record: LogRecord): void => log.write(redaction.record(record));
    const app: ManagedApp = {
      name,
      createdAtMs,
      paths: own,
      host: createHost(
        { app: name, onLog, readable: [own.releases, own.cache], user },
        { preview: previewOf !== null, of: previewOf ?? name },
      ),
      user,
      lane: new Lane(),
      log,
      redaction,
      live: null,
      domains: await context.store.listDomains(name),
      previewOf,
      usedAtMs,
      branch,
      production: await this.#production(own.repository, branch),
      running: new Map(),
      unrecorded: [],
      activation: null,
      activations: 0,
      unwatch: null,
    };
    await reconcile(context, app);
    await sweepLeftovers(context, app);
    const listener = await listenForApp(own.socket, app.host, () => {
      app.usedAtMs = context.now();
    });
    this.#entries.set(name, { app, listener });
    this.#listAnew();
    return app;
  }

  #pathsOf({ name, previewOf }: AppRecord): AppPaths {
    const { paths } = this.#options;
    return previewOf === null ? appPaths(paths, name) : previewPaths(paths, name, previewOf);
  }

  async #layDown(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#listAnew();
    entry.listener.close();
    entry.app.unwatch?.();
    await entry.app.host.stop();
    await entry.app.log.close();
  }

  #listAnew(): void {
    const apps = [...this.#entries.values()].map((entry) => entry.app);
    this.#list = apps.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    this.#options.context.sites().changed();
  }

  async #production(repository: string, branch: string | null): Promise<string> {
    if (branch !== null) return `refs/heads/${branch}`;
    const names = ['refs/heads/main', 'refs/heads/master'];
    const at = await Promise.all(names.map((ref) => readRef(repository, ref)));
    return productionBranch(new Set(names.filter((_, index) => at[index] !== null)));
  }

  async #alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.#changing.has(name)) {
      throw new FnrunError('FN_BUSY', `${name} is being made or removed just now`, { hint: 'try again' });
    }
    this.#changing.add(name);
    try {
      return await work();
    } finally {
      this.#changing.delete(name);
    }
  }

  async #moveAway(name: string): Promise<void> {
    const { apps } = this.#options.paths;
    const aside = join(apps, `${removedPrefix}${name}-${Date.now()}`);
    if (!existsSync(join(apps, name))) return;
    // Renamed first: the name is free at once, whole or not at all.
    await rename(join(apps, name), aside);
    await rm(aside, { recursive: true, force: true });
  }

  async #sweepRemoved(): Promise<void> {
    const { apps } = this.#options.paths;
    const names = await readdir(apps).catch(() => []);
    const left = names.filter((name) => name.startsWith(removedPrefix));
    await Promise.all(left.map((name) => rm(join(apps, name), { recursive: true, force: true })));
  }
}
