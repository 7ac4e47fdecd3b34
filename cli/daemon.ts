import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { formatProblems } from '../builder/format-problems.ts';
import { Apps } from '../deploy/apps.ts';
import { findJail } from '../deploy/build/jail.ts';
import { BuildPool } from '../deploy/build/pool.ts';
import type { DeployContext } from '../deploy/context.ts';
import { createControlService } from '../deploy/control-service.ts';
import { readSecretKey } from '../deploy/env/secret-key.ts';
import { createEnvVault } from '../deploy/env/vault.ts';
import { gitVersion } from '../deploy/git/version.ts';
import { createHandover } from '../deploy/handover.ts';
import { lockHome } from '../deploy/home-lock.ts';
import { Keys } from '../deploy/keys/keys.ts';
import { guardRelease } from '../deploy/watch/take-back.ts';
import { checkSocketPath, homePaths, type HomePaths } from '../deploy/paths.ts';
import { branchName } from '../deploy/push/updates.ts';
import { Root } from '../deploy/sites/root.ts';
import { Sites } from '../deploy/sites/sites.ts';
import { Slots } from '../deploy/slots.ts';
import { previewAppPolicy } from '../deploy/previews/preview-policy.ts';
import { Previews } from '../deploy/previews/previews.ts';
import { openSqliteStore } from '../deploy/store/sqlite.ts';
import type { Store } from '../deploy/store/store.ts';
import { AppUsers } from '../deploy/users/app-users.ts';
import { readUserFiles, userNumbers } from '../deploy/users/user-range.ts';
import { createControlApi } from '../router/control/api.ts';
import { serveControl } from '../router/control/server.ts';
import { createGateway } from '../router/gateway/gateway.ts';
import { buildLimits, databaseLimits, deployLimits, hostLimits } from '../runtime/contract/limits.ts';
import { entryPoint, packageRoot } from '../runtime/entry-points.ts';
import { gatewayView } from './gateway-view.ts';
import { appUrl } from './app-url.ts';
import { groupFor, useCgroups } from './app-cgroups.ts';
import { healthOf } from './health.ts';
import { HostFactory, olderHalf, whenGone, whole, youngerHalf } from './host-factory.ts';
import type { ListenAddress } from './listen-address.ts';
import { once } from './once.ts';
import { readServerConfig } from './server-config.ts';
import type { ServerConfig } from './server-config.ts';
import { takeOver } from './take-over.ts';
import { testSignals } from './test-signals.ts';
import { within } from './within.ts';

/** What `fnrun serve` runs with. */
export interface DaemonOptions {
  /** Absolute path; made when absent. */
  home: string;
  /** Where the gateway listens; null: nowhere. */
  listen: ListenAddress | null;
  version: string;
  /** Replaces a server that has the home, without a connection refused. @default false */
  takeOver?: boolean;
  /** One line for whoever runs the server. */
  log: (line: string) => void;
}

/** A running daemon. */
export interface Daemon {
  home: string;
  /** Of the gateway, for example `http://127.0.0.1:8080`. */
  urls: string[];
  /** Names and URLs of the apps. */
  apps(): { name: string; url: string | null; live: boolean }[];
  /** Resolves when another server was let in and has not come: this one cannot go on, and is best started again. */
  lost: Promise<void>;
  /** Resolves when another server has taken over and nothing is left here to do. */
  replaced: Promise<void>;
  /** Ends everything within `deployLimits.shutdownMs`. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts the daemon: takes the home, makes its state whole, listens for every app, then opens
 * the gateway and the control API. Rejects with FN_ALREADY_RUNNING, FN_NAME_TOO_LONG,
 * FN_SECRET_KEY, FN_PORT_IN_USE or FN_GIT_FAILED; nothing runs then.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  checkSocketPath(homePaths(options.home).controlSocket);
  await gitVersion();
  const paths = makeHome(options.home);
  const leaving = options.takeOver === true ? await takeOver(paths.home, options) : null;
  const stack = new AsyncDisposableStack();
  try {
    return await compose(stack, paths, { ...options, leaving });
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function compose(
  stack: AsyncDisposableStack,
  paths: HomePaths,
  options: DaemonOptions & Pick<Parts, 'leaving'>,
): Promise<Daemon> {
  const { log, leaving } = options;
  const urls: string[] = [];
  const lock = lockHome(paths.lockFile, { home: paths.home });
  stack.defer(() => lock.release());
  // Whatever is wrong with a key that is there is told before anything needs it.
  await readSecretKey(paths.secretKey);
  const store = openSqliteStore(paths.stateFile);
  const closeStore = once(() => store.close());
  stack.defer(closeStore);

  const config = readServerConfig(paths.configFile);
  const { authorizedKeys = paths.authorizedKeys } = config;
  const users = await openUsers(config, { paths, store, log });
  const parts = { config, store, users, urls, leaving, log };
  const { context, ending, apps, previews, builders, hosts, jail } = composeApps(stack, paths, parts);
  const gateway = createGateway({ apps: gatewayView(apps, context.sites()), version: options.version });
  // Ends in the reverse order: first no request comes in any more, then the apps tell their WebSockets and
  // end, then the gateway ends, which carried their last words.
  stack.defer(() => gateway.close());
  stack.defer(() => apps.stop());
  stack.defer(() => gateway.drain());
  context.sites().setClaims(await store.listClaims());
  await apps.start();
  await previews.sweep();

  const keys = await openKeys({ context, apps, home: paths.home, file: authorizedKeys });

  if (options.listen !== null) {
    const { host, port } = await gateway.listen(options.listen);
    urls.push(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
  }

  const health = healthOf({ version: options.version, home: paths.home, urls }, jail);
  const lost = Promise.withResolvers<void>();
  const replaced = Promise.withResolvers<void>();
  const release = async (): Promise<void> => {
    await gateway.drain();
    ending.abort();
    previews.stop();
    await builders.stop();
    await within(databaseLimits.leaveMs, hosts.share(olderHalf));
    closeStore();
    lock.release();
    control.release();
    setTimeout(() => existsSync(paths.controlSocket) || lost.resolve(), hostLimits.takeOverMs).unref();
  };
  const onOver = (): void => {
    control.close();
    replaced.resolve();
  };
  const handover = createHandover({ apps, release, onOver, log });
  const api = createControlApi({
    service: createControlService({ context, apps, keys, health, handover }),
    onError: tellError(log),
  });
  const control = await serveControl(paths.controlSocket, (request) => api.fetch(request));
  stack.defer(() => control.close());
  void apps.settle();
  stack.defer(() => ending.abort());

  return {
    home: paths.home,
    urls,
    apps: () => apps.list().map(({ name, live }) => ({ name, url: context.urlOf(name), live: live !== null })),
    lost: lost.promise,
    replaced: replaced.promise,
    stop: async () => {
      if (handover.over !== null && existsSync(paths.controlSocket)) await within(hostLimits.leaveAllMs, handover.over);
      await within(deployLimits.shutdownMs, stack.disposeAsync());
    },
  };
}

interface Parts {
  config: ServerConfig;
  store: Store;
  users: AppUsers | null;
  urls: readonly string[];
  /** The process of the server that this one takes over from. */
  leaving: number | null;
  log: (line: string) => void;
}

/** What deploys and runs apps. Nothing of it serves yet. */
function composeApps(
  stack: AsyncDisposableStack,
  paths: HomePaths,
  { config, store, users, urls, leaving, log }: Parts,
) {
  const {
    cgroup = true,
    authorizedKeys: _,
    appUsers: __,
    domain,
    builds = {},
    releasesKept = buildLimits.releasesKept,
    previews: branches = {},
    ...policy
  } = config;
  const cgroups = cgroup ? useCgroups(log) : null;
  // Tried while the rest starts: the first build waits for it.
  const wanted = builds.jail ?? true;
  const jail = findJail({ wanted });
  void jail.then(({ note }) => log(note));
  const builders = new BuildPool({ jail, cgroups, policy: builds });
  stack.defer(() => builders.stop());

  const ending = new AbortController();
  const context: DeployContext = {
    store,
    vault: createEnvVault({ store, keyFile: paths.secretKey, now: Date.now }),
    build: (build) => builders.build(build),
    warmBuild: (places) => void builders.warm(places),
    formatProblems,
    urlOf: (app) => appUrl(app, { urls, domain }),
    now: Date.now,
    log,
    watch: (app, since) => guardRelease(context, app, since),
    signal: ending.signal,
    builds: new Slots(builds.parallel ?? availableParallelism()),
    cgroupFor: (app, limits) => groupFor(app, { limits, cgroups, log }),
    releasesKept,
    apps: () => apps.list(),
    previews: () => previews,
    sites: () => sites,
    root: new Root({
      requestFile: paths.syncRequest,
      outcomeFile: paths.syncOutcome,
      servedFile: paths.syncServed,
      log,
      now: Date.now,
      signal: ending.signal,
    }),
    onStep: testSignals(process.env),
  };
  const hook = { node: process.execPath, script: entryPoint('deploy/hook.js'), controlSocket: paths.controlSocket };
  const ofPreviews = previewAppPolicy(policy, branches.ceilings);
  const hosts = new HostFactory({
    policy,
    previews: ofPreviews,
    cgroups,
    portion: leaving === null ? whole : youngerHalf,
  });
  if (leaving !== null) void whenGone(leaving, ending.signal).then(() => hosts.share(whole));
  const apps = new Apps({ context, paths, hook, users, createHost: hosts.create });
  const sites = new Sites({
    apps: () => apps.list(),
    // What stops has fewer and fewer apps, which is nobody's business.
    onChange: async () => (ending.signal.aborted ? null : await context.root.ask()),
  });
  stack.defer(() => sites.stop());
  const { previewsPerApp, previewIdleMs } = deployLimits;
  const { perApp = previewsPerApp, idleMs = previewIdleMs } = branches;
  const previews = new Previews(apps, { context, policy: { perApp, idleMs } });
  stack.defer(() => previews.stop());
  return { context, ending, apps, previews, builders, hosts, jail: jail.then((one) => ({ ...one, wanted })) };
}

function tellError(log: (line: string) => void): (error: unknown) => void {
  return (error) => log(error instanceof Error ? (error.stack ?? error.message) : String(error));
}

/** Users for the apps, where config.json says so. */
async function openUsers(
  { appUsers }: ServerConfig,
  { paths, store, log }: { paths: HomePaths; store: Store; log: (line: string) => void },
): Promise<AppUsers | null> {
  if (appUsers === undefined) return null;
  const numbers = userNumbers(appUsers, readUserFiles());
  const users = await AppUsers.open({ store, paths, numbers, log, now: Date.now });
  log(`each app runs as a user of its own, from ${numbers.first} to ${numbers.last}`);
  return users;
}

/** The ssh keys. When their file cannot be written, apps are served all the same, and keys that sshd knows go on working. */
async function openKeys(options: { context: DeployContext; apps: Apps; home: string; file: string }): Promise<Keys> {
  const { context, apps, home, file } = options;
  const keys = new Keys({
    store: context.store,
    file,
    program: { node: process.execPath, launcher: join(packageRoot(), 'cli/fnrun.js'), home },
    now: context.now,
    productionOf: (app) => branchName(apps.find(app)?.production ?? ''),
  });
  await keys.refresh().catch((error: Error) => context.log(`cannot write ${file}: ${error.message}`));
  return keys;
}

function makeHome(home: string): HomePaths {
  mkdirSync(home, { recursive: true });
  // git reports real paths to its hooks; the daemon must speak of the same ones.
  const paths = homePaths(realpathSync(home));
  checkSocketPath(paths.controlSocket);
  for (const folder of [paths.run, paths.apps, paths.logs]) mkdirSync(folder, { recursive: true });
  return paths;
}
