import type { ControlService } from '../router/control/service.ts';
import type { HealthBody } from '../router/control/server-types.ts';
import type { ActivateBody } from '../router/control/types.ts';
import { Account } from './account/account.ts';
import { tellFailure } from './account/failure.ts';
import { tell, tellLive } from './account/lines.ts';
import type { Apps } from './apps.ts';
import type { DeployContext, ManagedApp } from './context.ts';
import { liveBudgets } from './database/budgets.ts';
import { awaitDatabase } from './database/own/await-database.ts';
import { changeEnv } from './env/change-env.ts';
import { readEnv } from './env/read-env.ts';
import { cancelDeployment, describeDeployment, followAccount, readAccount } from './inspect.ts';
import type { Keys } from './keys/keys.ts';
import { createKeyService, visibleTo } from './keys/service.ts';
import { listMigrations } from './migrations/list-migrations.ts';
import { presentApp, presentDeployment, presentProcess } from './present.ts';
import { receivePush } from './push/receive.ts';
import { isZero } from './git/refs.ts';
import { checkQuarantine } from './push/quarantine.ts';
import { changeOverlay } from './previews/preview-env.ts';
import { activateRef } from './reconcile.ts';
import { switchRelease } from './rollback.ts';
import { changeDomains, readDomains } from './sites/change-domains.ts';

/** What the control service works on. */
export interface ControlServiceOptions {
  context: DeployContext;
  apps: Apps;
  keys: Keys;
  health: () => HealthBody;
  handover: Pick<ControlService, 'leave' | 'isLeaving'>;
}

/** The control API's view of the apps of a home. */
export function createControlService({ context, apps, keys, health, handover }: ControlServiceOptions): ControlService {
  return {
    health,
    ...handover,
    ...createKeyService({ keys, apps, made: async (app) => await awaitDatabase(context, app) }),
    listApps: async (caller) => {
      const visible = await visibleTo(keys, caller);
      return apps.list().flatMap((app) => (visible(app.name) ? [presentApp(context, app)] : []));
    },
    getApp: async (name) => presentApp(context, apps.get(name)),
    createApp: async (name, { branch, caller }) => {
      const app = await apps.create(name, { branch });
      if (caller !== null) await keys.grant(await keys.get(caller), name);
      await awaitDatabase(context, name);
      return presentApp(context, app);
    },
    changeApp: async (name, { branch }) =>
      presentApp(context, branch === undefined ? apps.get(name) : await apps.setBranch(name, branch)),
    removeApp: async (name) => await apps.remove(name),
    ...createDeploymentService({ context, apps, keys }),
    listDatabaseBudgets: async () => ({ budgets: await liveBudgets(context) }),
    listMigrations: async (name) => await listMigrations(context, apps.get(name)),
    readEnv: async (name, options) => await readEnv(context, apps.get(name), options),
    changeEnv: async (name, { caller, previews, ...change }) => {
      const app = apps.get(name);
      if (previews) return { app: name, changed: await changeOverlay(context, app, change), deployment: null };
      const key = await keys.nameOf(caller);
      const { changed, deployment } = await changeEnv(context, app, { ...change, key });
      return { app: name, changed, deployment: deployment && presentDeployment(deployment, app.live) };
    },
    listSites: () => [...context.sites().list()],
    readDomains: async (name, options) => await readDomains(context, apps.get(name), options),
    changeDomains: async (name, change) => await changeDomains(context, apps.get(name), change),
    receive: async function* (name, { body, signal, caller }) {
      const app = apps.get(name);
      const key = caller === null ? null : await keys.get(caller);
      const quarantine = checkQuarantine(body.quarantine, app.paths.repository);
      const account = accountOf(app, body);
      // A clock that is wrong or a hook that is not ours must not make the total absurd.
      const now = context.now();
      const startedAtMs = body.startedAtMs > now - 10_000 && body.startedAtMs <= now ? body.startedAtMs : now;
      void receivePush(context, app, { ...body, quarantine, startedAtMs, key, account, gone: signal });
      yield* account.follow(signal);
    },
    activate: async function* (name, { body, signal }) {
      const account = followActivation(context, apps.get(name), body);
      yield* account.follow(signal);
    },
    readLogs: (name, { function: only, ...query }) =>
      apps.get(name).log.read({ ...query, matches: (record) => only === null || record.function === only }),
    listProcesses: async (caller) => {
      const visible = await visibleTo(keys, caller);
      return {
        daemon: { pid: process.pid, uptimeMs: health().uptimeMs, rssBytes: process.memoryUsage.rss() },
        apps: await Promise.all(
          apps
            .list()
            .filter((app) => visible(app.name))
            .map(presentProcess),
        ),
      };
    },
  };
}

type DeploymentMethods =
  | 'listDeployments'
  | 'getDeployment'
  | 'readAccount'
  | 'followAccount'
  | 'cancelDeployment'
  | 'switchRelease';

/** The part of it that is about deployments that were, are or shall be. */
function createDeploymentService({
  context,
  apps,
  keys,
}: Omit<ControlServiceOptions, 'health' | 'handover'>): Pick<ControlService, DeploymentMethods> {
  const { store } = context;
  return {
    listDeployments: async (name, options) => {
      const app = apps.get(name);
      const deployments = await store.listDeployments(name, options);
      // Where one that is under way has got to is not on disk yet.
      return deployments.map((one) => presentDeployment(app.running.get(one.id)?.deployment ?? one, app.live));
    },
    getDeployment: async (name, id) => await describeDeployment(context, apps.get(name), id),
    readAccount: async (name, id) => await readAccount(context, apps.get(name), id),
    followAccount: (name, options) => followAccount(context, apps.get(name), options),
    cancelDeployment: async (name, id) => {
      const app = apps.get(name);
      return presentDeployment(await cancelDeployment(context, app, id), app.live);
    },
    switchRelease: async (name, { caller, ...request }) => {
      const app = apps.get(name);
      const key = await keys.nameOf(caller);
      return presentDeployment(await switchRelease(context, app, { ...request, key }), app.live);
    },
  };
}

function accountOf(app: ManagedApp, { color }: { color: boolean }): Account {
  return new Account({ color, redact: (text) => app.redaction.text(text) });
}

/** The account of the activation that a post-receive hook asks for. */
function followActivation(context: DeployContext, pushed: ManagedApp, body: ActivateBody): Account {
  const targets = [pushed, ...context.previews().of(pushed)];
  const deleted = body.updates.filter((one) => isZero(one.new)).map(({ ref }) => ref);
  const account = accountOf(pushed, body);
  for (const update of body.updates) {
    const app = targets.find((each) => each.production === update.ref);
    if (app === undefined || isZero(update.new)) continue;
    const { activation } = app;
    if (activation?.commit === update.new) return activation.account;
    void activateLate(context, app, { commit: update.new, account });
    return account;
  }
  // Nobody waits for it, and the sweep does it once more.
  void context
    .previews()
    .removeOf(pushed, deleted)
    .catch((error: Error) => context.log(`${pushed.name}: ${error.message}`));
  account.end(true);
  return account;
}

/** For a push that was accepted by a daemon that has been restarted since. */
async function activateLate(
  context: DeployContext,
  app: ManagedApp,
  { commit, account }: { commit: string; account: Account },
): Promise<void> {
  try {
    const before = app.live;
    const ok = await activateRef(context, app, { commit, account });
    if (ok && app.live !== null && app.live === before) {
      tellLive(account, { url: context.urlOf(app.name), app: app.name, release: app.live.release });
    } else if (!ok) {
      tell(account, 'not live', 'this push was not accepted by the server that runs now: commit and push again');
    }
    account.end(ok);
  } catch (error) {
    tellFailure(account, error);
    account.end(false);
  }
}
