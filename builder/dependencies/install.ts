import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { buildLimits } from '../../runtime/contract/limits.ts';
import { hashOf } from '../hash.ts';
import { problem } from '../problem.ts';
import type { BuildProblem } from '../problem.ts';
import { findAddons } from './addons.ts';
import { removeLeavingLinks } from './leaving-links.ts';
import { countPackages, localArchives } from './lockfile.ts';
import { npmProblem } from './npm-problem.ts';
import { runNpmHere } from './npm.ts';
import type { InstallScripts, RunNpm } from './npm.ts';

/** What is to be installed. */
export interface InstallOptions {
  /** The app's root, a real path. */
  root: string;
  cacheDir: string;
  /** The lockfile parsed, its name and its text. */
  lock: unknown;
  lockfile: string;
  lockText: string;
  /** Sync what was installed to the disk before it gets its name. @default false */
  durable?: boolean;
  /** Packages whose scripts run. */
  scripts: InstallScripts;
  signal: AbortSignal;
  onProgress?: (line: string) => void;
  /** @default `runNpmHere` */
  runNpm?: RunNpm;
}

/** Packages that lie installed. */
export interface Installed {
  modulesDir: string;
  /** Hash of all that decides what is installed. */
  key: string;
  /** Native addons among them. */
  addons: string[];
}

/** Where a cache keeps installed packages. */
export function installsDir(cacheDir: string): string {
  return join(cacheDir, 'deps');
}

const linkedMark = 'linked';

/** Notes that a release links to the packages in `modulesDir`: they must stay as long as it. */
export async function markLinked(modulesDir: string): Promise<void> {
  await writeFile(join(dirname(modulesDir), linkedMark), '');
}

/**
 * Takes the note from all packages but those that releases in `releasesDir` link to: they may go when the
 * cache has too many. Call when no build runs that puts its release there.
 */
export async function unmarkUnlinked({
  cacheDir,
  releasesDir,
}: {
  cacheDir: string;
  releasesDir: string;
}): Promise<void> {
  const list = (dir: string): Promise<string[]> => readdir(dir).catch(() => []);
  const targets = await Promise.all(
    (await list(releasesDir)).map((release) => readlink(join(releasesDir, release, 'node_modules')).catch(() => '')),
  );
  const linked = new Set(targets.map((target) => basename(dirname(target))));
  for (const name of await list(installsDir(cacheDir))) {
    if (!linked.has(name)) await rm(join(installsDir(cacheDir), name, linkedMark), { force: true });
  }
}

/** Whether a release links to the installation in `dir`, or did until not long ago. */
export function isLinked(dir: string): boolean {
  return existsSync(join(dir, linkedMark));
}

type Outcome = Installed | { problem: BuildProblem };

const running = new Map<string, Promise<Outcome>>();

/**
 * Installs the packages of a lockfile into `<cacheDir>/deps/<key>`, once: a folder of that name
 * is whole, because it is filled under another one and renamed. Two builds that want the same
 * share one run of npm; in two processes, the later rename loses and its folder is dropped.
 */
export async function installPackages(options: InstallOptions): Promise<Outcome> {
  const { root, cacheDir, lockText } = options;
  const packageText = await readFile(join(root, 'package.json'), 'utf8');
  const npmrc = await readFile(join(root, '.npmrc'), 'utf8').catch(() => null);
  const key = hashOf([
    lockText,
    dependencyFields(packageText),
    npmrc,
    process.platform,
    process.arch,
    process.versions.modules,
    ...(options.scripts === null ? [] : [options.scripts]),
  ]).slice(0, 32);
  const dir = join(installsDir(cacheDir), key);
  const addons = await readAddons(dir);
  if (addons !== null) {
    const now = new Date();
    // The time of the last use, for whoever clears the cache.
    await utimes(dir, now, now).catch(() => {});
    return { modulesDir: join(dir, 'node_modules'), key, addons };
  }
  const same = running.get(dir);
  if (same !== undefined) {
    // It may end because its own build was aborted; that is not the end of this one.
    const outcome = await same.catch(() => null);
    options.signal.throwIfAborted();
    return outcome ?? installPackages(options);
  }
  const run = installNew({ ...options, packageText, npmrc, dir, key }).finally(() => running.delete(dir));
  running.set(dir, run);
  return run;
}

interface NewInstall extends InstallOptions {
  packageText: string;
  npmrc: string | null;
  dir: string;
  key: string;
}

async function installNew(options: NewInstall): Promise<Outcome> {
  const { root, dir, key, lock, scripts, signal, runNpm = runNpmHere } = options;
  await mkdir(dirname(dir), { recursive: true });
  const staging = await mkdtemp(join(dirname(dir), '.new-'));
  try {
    await writeFile(join(staging, 'package.json'), options.packageText);
    await writeFile(join(staging, options.lockfile), options.lockText);
    if (options.npmrc !== null) await writeFile(join(staging, '.npmrc'), options.npmrc, { mode: 0o600 });
    for (const archive of localArchives(lock)) {
      const outside = await copyArchive(archive, { root, staging });
      if (outside !== null) return { problem: outside };
    }
    const count = countPackages(lock);
    options.onProgress?.(`installing ${count} ${count === 1 ? 'package' : 'packages'}`);
    const result = await runNpm({ dir: staging, scripts }, { signal });
    if (result === null || result.exitCode !== 0) return { problem: npmProblem(result, options.lockfile) };
    // It may hold a token, and has done its work.
    await rm(join(staging, '.npmrc'), { force: true });
    const modules = join(staging, 'node_modules');
    await mkdir(modules, { recursive: true });
    if (scripts !== null) await removeLeavingLinks(modules);
    const addons = await findAddons(modules);
    await writeFile(join(staging, 'addons.json'), JSON.stringify(addons));
    // Made for its owner alone; the app's user has to read it.
    await chmod(staging, 0o755);
    if (options.durable === true) await syncFileSystem(staging);
    await rename(staging, dir).catch((error: unknown) => {
      if (!existsSync(join(dir, 'addons.json'))) throw error;
    });
    return { modulesDir: join(dir, 'node_modules'), key, addons };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

// Thousands of files: one call for all of them. Where there is no such program, nothing is promised.
async function syncFileSystem(path: string): Promise<void> {
  await promisify(execFile)('sync', ['-f', path], { timeout: buildLimits.npmInstallMs }).catch(() => {});
}

async function readAddons(dir: string): Promise<string[] | null> {
  const text = await readFile(join(dir, 'addons.json'), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as string[]);
}

function dependencyFields(packageText: string): unknown {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies, overrides } = JSON.parse(
    packageText.replace(/^\uFEFF/, ''),
  ) as Record<string, unknown>;
  return [dependencies, devDependencies, optionalDependencies, peerDependencies, overrides];
}

async function copyArchive(
  archive: string,
  { root, staging }: { root: string; staging: string },
): Promise<BuildProblem | null> {
  const from = await realpath(join(root, archive)).catch(() => null);
  const to = join(staging, archive);
  if (from === null || !from.startsWith(root + sep) || !to.startsWith(staging + sep)) {
    const why = from === null ? 'is not in the app' : 'leaves the app';
    const hint = 'put the archive into the app, and install it from there';
    return problem('FN_LOCKFILE', `the dependency file:${archive} ${why}`, { file: 'package.json', hint });
  }
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  return null;
}
