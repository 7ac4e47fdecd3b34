import { problem } from '../problem.ts';
import type { BuildProblem } from '../problem.ts';
import type { JsonFile } from '../source/json-file.ts';
import type { PackageJson } from './package-json.ts';

/** The lockfiles that npm writes, the one that wins first. */
export const lockfileNames = ['npm-shrinkwrap.json', 'package-lock.json'] as const;

/** Lockfiles of other package managers, with the program that wrote them. */
export const foreignLockfiles: Readonly<Record<string, string>> = {
  'pnpm-lock.yaml': 'pnpm',
  'yarn.lock': 'yarn',
  'bun.lock': 'bun',
  'bun.lockb': 'bun',
};

interface LockedPackage {
  version?: string;
  resolved?: string;
  link?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

interface Lockfile {
  lockfileVersion?: number;
  packages?: Record<string, LockedPackage>;
  dependencies?: Record<string, unknown>;
}

const fields = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const;

/** What an app's lockfile is checked against. */
export interface LockfileParts {
  packageJson: PackageJson;
  /** package.json with places. */
  packageFile: JsonFile;
  /** The lockfile, parsed. */
  lock: unknown;
  /** Its name. */
  lockfile: string;
}

/** Where package.json and the lockfile disagree, as far as can be told without npm. */
export function checkLockfile(parts: LockfileParts): BuildProblem[] {
  const { lock, lockfile } = parts;
  const hint = `run "npm install", and commit ${lockfile}`;
  if (typeof lock !== 'object' || lock === null || Array.isArray(lock)) {
    return [problem('FN_LOCKFILE', `${lockfile} is no lockfile of npm`, { file: lockfile, hint })];
  }
  const { packages, dependencies } = lock as Lockfile;
  if (packages === undefined) return checkNames(parts, { locked: dependencies ?? {}, hint });
  const problems: BuildProblem[] = [];
  const root = packages[''] ?? {};
  for (const field of fields) {
    const wanted = parts.packageJson[field] ?? {};
    const locked = root[field] ?? {};
    for (const [name, range] of Object.entries(wanted)) {
      // npm moves what stands in both fields into the optional ones.
      if (field === 'dependencies' && parts.packageJson.optionalDependencies?.[name] !== undefined) continue;
      if (locked[name] === range) continue;
      const has = locked[name] === undefined ? `does not have it` : `has ${name}@${locked[name]}`;
      const place = parts.packageFile.locate([field, name]);
      problems.push(
        problem('FN_LOCKFILE', `package.json asks for ${name}@${range}, ${lockfile} ${has}`, { ...place, hint }),
      );
    }
    for (const name of Object.keys(locked)) {
      if (wanted[name] !== undefined) continue;
      problems.push(
        problem('FN_LOCKFILE', `${lockfile} has ${name}, package.json does not ask for it`, { file: lockfile, hint }),
      );
    }
  }
  return problems.length > 0 ? problems : checkLinks(parts, packages);
}

// Lockfiles of npm 6 hold no ranges: npm itself compares the rest.
function checkNames(
  parts: LockfileParts,
  { locked, hint }: { locked: Record<string, unknown>; hint: string },
): BuildProblem[] {
  return (['dependencies', 'optionalDependencies'] as const).flatMap((field) =>
    Object.keys(parts.packageJson[field] ?? {})
      .filter((name) => locked[name] === undefined)
      .map((name) =>
        problem('FN_LOCKFILE', `package.json asks for ${name}, ${parts.lockfile} does not have it`, {
          ...parts.packageFile.locate([field, name]),
          hint,
        }),
      ),
  );
}

/** Folders as dependencies: they would lie outside what is installed once per lockfile. */
function checkLinks(parts: LockfileParts, packages: Record<string, LockedPackage>): BuildProblem[] {
  const linked = Object.entries(packages).filter(
    ([path, entry]) => path.startsWith('node_modules/') && entry.link === true,
  );
  return linked.map(([path]) => {
    const name = path.slice('node_modules/'.length);
    const field = parts.packageJson.dependencies?.[name] === undefined ? 'optionalDependencies' : 'dependencies';
    const hint = 'import its files by their path, or publish it, or pack it with "npm pack" and depend on the archive';
    const place = parts.packageFile.locate([field, name]);
    return problem('FN_LOCKFILE', `the dependency ${name} is a folder, which cannot be installed apart from the app`, {
      ...place,
      hint,
    });
  });
}

/** Archives in the app (`file:vendor/x.tgz`) that a lockfile names, from the app's root. */
export function localArchives(lock: unknown): string[] {
  const { packages } = (lock ?? {}) as Lockfile;
  const files = Object.values(packages ?? {}).map(({ resolved }) => resolved);
  return [...new Set(files)]
    .filter((from) => from?.startsWith('file:') === true)
    .map((from) => from!.slice('file:'.length));
}

/** Number of packages that a lockfile installs, for a progress line. */
export function countPackages(lock: unknown): number {
  const { packages, dependencies } = (lock ?? {}) as Lockfile;
  return packages === undefined
    ? Object.keys(dependencies ?? {}).length
    : Object.entries(packages).filter(([path, entry]) => path !== '' && (entry as { dev?: boolean }).dev !== true)
        .length;
}
