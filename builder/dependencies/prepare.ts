import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppConfig } from '../../runtime/contract/app-config.ts';
import { sha256 } from '../hash.ts';
import { compareText, problem } from '../problem.ts';
import type { BuildProblem } from '../problem.ts';
import { isJsonError, parseJsonFile } from '../source/json-file.ts';
import type { JsonFile } from '../source/json-file.ts';
import { installPackages } from './install.ts';
import { localPackages } from './local.ts';
import { checkLockfile, foreignLockfiles, lockfileNames } from './lockfile.ts';
import type { InstallScripts, RunNpm } from './npm.ts';
import { hasDependencies, readPackageJson } from './package-json.ts';
import type { PackageJson, PackageReading } from './package-json.ts';

/** The packages that an app's functions are bundled with. */
export interface Dependencies {
  packageJson: PackageJson | null;
  /** Where they are installed; null: the app has none. */
  modulesDir: string | null;
  /** `modulesDir` is the app's own node_modules. */
  local: boolean;
  /** SHA-256 of the lockfile; null for an app without dependencies. */
  lockHash: string | null;
  /** Hash of what is installed. */
  packages: string;
  /** Packages to leave out of the bundles. */
  external: string[];
  problems: BuildProblem[];
}

/** What `prepareDependencies` works with. */
export interface PrepareOptions {
  /** The app's root, a real path. */
  root: string;
  cacheDir: string;
  config: AppConfig;
  /** Where the value at a path of fnrun.json stands. */
  locateConfig: JsonFile['locate'];
  useLocalModules?: boolean;
  durable?: boolean;
  signal: AbortSignal;
  onProgress?: (line: string) => void;
  runNpm?: RunNpm;
}

/** Sees to it that the app's packages are installed. What is wrong with them is in `problems`. */
export async function prepareDependencies(options: PrepareOptions): Promise<Dependencies> {
  const { root, config } = options;
  const reading = await readPackageJson(root);
  const none: Dependencies = {
    packageJson: reading.value,
    modulesDir: null,
    local: false,
    lockHash: null,
    packages: sha256('none'),
    external: [...(config.bundle?.external ?? [])].toSorted(compareText),
    problems: reading.problems,
  };
  if (reading.problems.length > 0) return none;
  const own = join(root, 'node_modules');
  const local =
    options.useLocalModules === true &&
    (await stat(own).then(
      (at) => at.isDirectory(),
      () => false,
    ));
  if (local) {
    const lock = await readLock(root);
    const { packages, addons } = await localPackages(own, options.cacheDir);
    const lockHash = lock === null ? null : sha256(lock.text);
    return withExternals({ ...none, modulesDir: own, local, lockHash, packages }, { addons, options });
  }
  if (!hasDependencies(reading.value)) return withExternals(none, { addons: [], options });
  return install(none, { reading, options });
}

async function install(
  none: Dependencies,
  { reading, options }: { reading: PackageReading; options: PrepareOptions },
): Promise<Dependencies> {
  const { root, cacheDir, durable = false, signal, onProgress, runNpm } = options;
  const fail = (...problems: BuildProblem[]): Dependencies => ({ ...none, problems });
  const lock = await readLock(root);
  if (lock === null) return fail(noLockfile(root, reading));
  const { file: lockfile, text } = lock;
  const parsed = parseJsonFile(text, { file: lockfile });
  if (isJsonError(parsed)) {
    const hint = `run "npm install", and commit ${lockfile}; a merge may have left conflict marks in it`;
    return fail(problem('FN_LOCKFILE', `${lockfile} is no JSON: ${parsed.message}`, { ...parsed.place, hint }));
  }
  const problems = checkLockfile({
    packageJson: reading.value!,
    packageFile: reading.file!,
    lock: parsed.value,
    lockfile,
  });
  if (problems.length > 0) return fail(...problems);
  const installed = await installPackages({
    root,
    cacheDir,
    lock: parsed.value,
    lockfile,
    lockText: text,
    durable,
    signal,
    scripts: installScripts(options.config),
    ...(onProgress && { onProgress }),
    ...(runNpm && { runNpm }),
  });
  if ('problem' in installed) return fail(installed.problem);
  const { modulesDir, key, addons } = installed;
  return withExternals({ ...none, modulesDir, lockHash: sha256(text), packages: key }, { addons, options });
}

/** The packages whose scripts run when they are installed, sorted: the order is not what decides. */
function installScripts({ dependencies }: AppConfig): InstallScripts {
  const { installScripts: asked = false } = dependencies ?? {};
  if (asked === true) return true;
  return asked === false || asked.length === 0 ? null : [...new Set(asked)].toSorted(compareText);
}

/** Adds the native addons to the external packages, and sees that the named ones are there. */
function withExternals(
  dependencies: Dependencies,
  { addons, options }: { addons: readonly string[]; options: PrepareOptions },
): Dependencies {
  const { modulesDir } = dependencies;
  const problems = (options.config.bundle?.external ?? []).flatMap((name, index) => {
    if (modulesDir !== null && existsSync(join(modulesDir, name))) return [];
    const hint = dependencies.local ? `npm install ${name}` : `npm install ${name}, and commit the lockfile`;
    const place = options.locateConfig(['bundle', 'external', index]);
    return [problem('FN_BAD_SETTINGS', `bundle.external names ${name}, which is not installed`, { ...place, hint })];
  });
  const external = [...new Set([...dependencies.external, ...addons])].toSorted(compareText);
  return { ...dependencies, external, problems };
}

async function readLock(root: string): Promise<{ file: string; text: string } | null> {
  for (const file of lockfileNames) {
    const text = await readFile(join(root, file), 'utf8').catch(() => null);
    if (text !== null) return { file, text };
  }
  return null;
}

function noLockfile(root: string, { value, file }: PackageReading): BuildProblem {
  const field = value?.dependencies === undefined ? 'optionalDependencies' : 'dependencies';
  const place = file!.locate([field], { key: true });
  const foreign = Object.keys(foreignLockfiles).find((name) => existsSync(join(root, name)));
  if (foreign !== undefined) {
    const message = `${foreign} is a lockfile of ${foreignLockfiles[foreign]}; releases are installed by npm`;
    const hint = 'run "npm install --package-lock-only", and commit package-lock.json beside it';
    return problem('FN_LOCKFILE', message, { ...place, hint });
  }
  const hint = 'run "npm install", and commit package-lock.json';
  return problem('FN_LOCKFILE', 'package.json has dependencies, but there is no package-lock.json', { ...place, hint });
}
