import { chmod, lstat, mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { installsDir } from '../../builder/dependencies/install.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { appUserLimits } from '../../runtime/contract/limits.ts';
import { entryPoint } from '../../runtime/entry-points.ts';
import { AppUser } from '../../runtime/supervisor/app-user.ts';
import { asUser, missingForUsers } from '../../runtime/supervisor/privileges.ts';
import type { AppPaths, HomePaths } from '../paths.ts';
import type { Store } from '../store/store.ts';
import { runTool } from './run-tool.ts';
import type { UserNumbers } from './user-range.ts';

/** What the users of a home's apps are made from. */
export interface AppUsersOptions {
  store: Pick<Store, 'assignUser' | 'freeUser' | 'listUsers'>;
  paths: HomePaths;
  numbers: UserNumbers;
  log: (line: string) => void;
  /** ms since the epoch. */
  now: () => number;
}

/**
 * A user for each app. What an app may read lies below a folder that lets only the server, its group (nginx) and the
 * app's user through, by an access control list; below it, the files that the app has to read are readable for all.
 */
export class AppUsers {
  readonly #options: AppUsersOptions;
  readonly #users = new Map<string, AppUser>();

  private constructor(options: AppUsersOptions) {
    this.#options = options;
  }

  /** Closes the home to other users, and tries whether it all works here. Rejects with FN_BAD_SETTINGS. */
  static async open(options: AppUsersOptions): Promise<AppUsers> {
    const lacking = missingForUsers();
    if (lacking.length > 0) {
      throw new FnrunError(
        'FN_BAD_SETTINGS',
        `Cannot give apps users of their own (appUsers in config.json): this server lacks ${lacking.join(', ')}`,
        { hint: 'start it by the unit that fnrun render systemd prints, or take appUsers out' },
      );
    }
    await closeHome(options.paths);
    const users = new AppUsers(options);
    await users.#tryOut();
    return users;
  }

  /** The user of an app, the same every time. Rejects with FN_BAD_SETTINGS when all are given away. */
  async assign(app: string): Promise<AppUser> {
    const { store, numbers, now } = this.#options;
    const id = await store.assignUser(app, { ...numbers, nowMs: now() });
    if (id === null) {
      const { first, last } = numbers;
      const what = `There is no user left for ${app}: appUsers in config.json has the numbers ${first} to ${last}`;
      throw new FnrunError('FN_BAD_SETTINGS', what, { hint: 'raise its "count", and restart the server' });
    }
    return this.#userOf(app, id);
  }

  /** The user of an app whose folders are there, and the rights on them. Nothing of the app may run. */
  async prepare(app: string, { root, releases, cache, repository }: AppPaths): Promise<AppUser> {
    const user = await this.assign(app);
    await mkdir(user.folder, { recursive: true });
    await user.removeLeft();
    await admit(user.folder, { id: user.id, rights: 'rwx' });
    // The repository of a preview is its app's.
    if (repository.startsWith(`${root}/`)) await chmod(repository, 0o700);
    await openFiles({ releases, cache });
    await admit(root, { id: user.id, rights: 'x' });
    return user;
  }

  /** Takes the user from an app that is gone with its files. It stays taken while anything of it is left. */
  async free(app: string): Promise<void> {
    const { store, log, now } = this.#options;
    const id = (await store.listUsers()).find((one) => one.app === app)?.id;
    if (id === undefined) return;
    const user = this.#userOf(app, id);
    if (!(await user.end())) {
      log(`${app}: something of its user ${user.id} is left; that number is given to nobody before the next start`);
      return;
    }
    await rmdir(user.folder).catch(() => {});
    this.#users.delete(app);
    await store.freeUser(app, now());
  }

  /** Takes the users from apps that are gone. Call before anything runs. */
  async sweep(apps: readonly string[]): Promise<void> {
    const gone = (await this.#options.store.listUsers()).filter(({ app }) => !apps.includes(app));
    await Promise.all(gone.map(({ app }) => this.free(app)));
  }

  /** Resolves when nothing is being removed any more. */
  async idle(): Promise<void> {
    await Promise.all([...this.#users.values()].map((user) => user.idle()));
  }

  #userOf(app: string, id: number): AppUser {
    const known = this.#users.get(app);
    if (known?.id === id) return known;
    const user = new AppUser({ id, folder: join(this.#options.paths.temporary, String(id)) });
    this.#users.set(app, user);
    return user;
  }

  async #tryOut(): Promise<void> {
    const { paths, numbers } = this.#options;
    const folder = join(paths.temporary, '.probe');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    await admit(folder, { id: numbers.first, rights: 'rwx' });
    const needed = [process.execPath, entryPoint('runtime/host/main.cjs'), paths.apps, folder];
    const script = 'for each; do test -r "$each" || test -x "$each" || echo "$each"; done';
    const said = await runTool(asUser(numbers.first, ['/bin/sh', '-c', script, 'sh', ...needed]));
    await rmdir(folder);
    const [first] = said.split('\n');
    if (first === undefined || first === '') return;
    throw new FnrunError('FN_BAD_SETTINGS', `The users of apps (appUsers in config.json) cannot reach ${first}`, {
      hint: `every folder above it has to let other users through: namei -l ${first}`,
    });
  }
}

/** Lets one more user into a folder that is the server's own and its group's. */
async function admit(folder: string, { id, rights }: { id: number; rights: 'x' | 'rwx' }): Promise<void> {
  const group = rights === 'x' ? 'rx' : '-';
  await runTool(['setfacl', '--set', `u::rwx,g::${group},o::-,u:${id}:${rights}`, folder]);
}

/**
 * Lets all users read releases and packages: those that were built by an fnrun that made them for the server alone.
 * Their folders tell, because they come last.
 */
async function openFiles({ releases, cache }: { releases: string; cache: string }): Promise<void> {
  const installs = installsDir(cache);
  const folders = [releases, cache, ...(await foldersIn(releases)), ...(await foldersIn(installs))];
  const modes = await Promise.all(folders.map(async (folder) => (await lstat(folder)).mode));
  if (modes.every((mode) => (mode & 0o005) === 0o005)) return;
  const found = ['-depth', '(', '-type', 'd', '-o', '-type', 'f', ')'];
  const command = ['find', cache, releases, ...found, '-exec', 'chmod', 'a+rX', '{}', '+'];
  await runTool(command, { timeoutMs: appUserLimits.filesMs });
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

/** Lets other users pass through the home to the folders of apps, and see nothing else. */
async function closeHome({ home, apps, run, logs, temporary, stateFile }: HomePaths): Promise<void> {
  const modes = { [home]: 0o751, [apps]: 0o751, [temporary]: 0o711, [run]: 0o750, [logs]: 0o700, [stateFile]: 0o600 };
  await mkdir(temporary, { recursive: true });
  for (const name of await readdir(home)) {
    const path = join(home, name);
    const { mode, uid } = await lstat(path);
    // What root has put there is root's to close.
    if (modes[path] === undefined && uid === process.getuid?.() && (mode & 0o170000) !== 0o120000)
      await chmod(path, mode & 0o1770);
  }
  for (const [path, mode] of Object.entries(modes)) await chmod(path, mode);
}
