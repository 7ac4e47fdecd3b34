import { readdir } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { basename, dirname, join, posix } from 'node:path';
import type { PackageJson } from '../dependencies/package-json.ts';
import { nearest } from '../nearest.ts';

/** What is known about an app when one of its imports does not resolve. */
export interface ImportContext {
  /** The folder that file names are relative to. */
  root: string;
  /** Null: the app has no package.json. */
  packageJson: PackageJson | null;
  /** The app's own node_modules are used as they are. */
  local: boolean;
  /** Links below the root that lead out of the app. */
  escapes: readonly string[];
}

/** Why an import did not resolve, and the likely fix; null where nothing better is known. */
export interface UnresolvedReason {
  why: string | null;
  hint: string | null;
}

/** Finds the reason that `specifier` did not resolve from the file `importer`. */
export async function unresolvedHint(
  specifier: string,
  context: ImportContext & { importer: string },
): Promise<UnresolvedReason> {
  if (/^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..')
    return relativeReason(specifier, context);
  if (specifier.startsWith('node:')) return { why: 'this Node has no such module', hint: nearestBuiltin(specifier) };
  if (/^(?:https?|npm|jsr):/.test(specifier)) {
    return {
      why: 'modules are not fetched from the network',
      hint: 'install it as an npm package, and import it by its name',
    };
  }
  if (/^(?:bun|cloudflare):/.test(specifier)) {
    return { why: `"${specifier.split(':')[0]}:" modules exist on another platform only`, hint: null };
  }
  if (specifier.startsWith('#')) {
    return { why: null, hint: `name it in package.json#imports, whose keys begin with #` };
  }
  if (context.importer.includes('node_modules/')) {
    return {
      why: `${packageName(context.importer.slice(context.importer.lastIndexOf('node_modules/') + 13))} needs it, and it is not installed`,
      hint: `npm install ${packageName(specifier)}`,
    };
  }
  return packageReason(specifier, context);
}

/** `@scope/name` or `name` of an import such as `name/file.js`. */
export function packageName(specifier: string): string {
  const [first = '', second = ''] = specifier.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

function nearestBuiltin(specifier: string): string | null {
  const wanted = specifier.replace(/^node:/, '');
  // "ws" is no slip of "os": short names of packages are near everything.
  if (wanted.length <= 3 && !builtinModules.includes(wanted)) return null;
  const names = builtinModules.filter((name) => !name.startsWith('_')).map((name) => name.replace(/^node:/, ''));
  const near = nearest(wanted, names);
  return near === null ? null : `did you mean "node:${near}"?`;
}

function packageReason(specifier: string, { packageJson, local }: ImportContext): UnresolvedReason {
  const name = packageName(specifier);
  const install = `npm install ${name}`;
  if (name === '@' || name === '~' || name.startsWith('@/')) {
    return {
      why: null,
      hint: `give tsconfig.json a path for "${specifier.split('/')[0]}/*", or import by a relative path`,
    };
  }
  const wanted = { ...packageJson?.dependencies, ...packageJson?.optionalDependencies };
  if (wanted[name] !== undefined) {
    if (specifier !== name)
      return { why: `the package ${name} has no "${specifier.slice(name.length + 1)}"`, hint: null };
    return {
      why: `${name} is in package.json, but not installed`,
      hint: local ? 'npm install' : 'npm install, and commit the lockfile',
    };
  }
  if (packageJson?.devDependencies?.[name] !== undefined) {
    if (local) return { why: `${name} is in package.json, but not installed`, hint: 'npm install' };
    return {
      why: `${name} is in devDependencies, which a release does not install`,
      hint: `npm install --save-prod ${name}`,
    };
  }
  const builtin = nearestBuiltin(specifier);
  const known = nearest(name, Object.keys(wanted));
  if (known !== null) return { why: 'no such package is installed', hint: `did you mean "${known}"? Else: ${install}` };
  if (builtin !== null) return { why: 'no such package is installed', hint: `${builtin} Else: ${install}` };
  return {
    why: packageJson === null ? 'the app has no package.json' : `${name} is not in package.json`,
    hint: install,
  };
}

async function relativeReason(
  specifier: string,
  { root, importer }: { root: string; importer: string },
): Promise<UnresolvedReason> {
  if (specifier.startsWith('/'))
    return { why: 'there is no such file', hint: 'import files of the app by a relative path' };
  const wanted = posix.join(dirname(importer), specifier);
  const folder = dirname(wanted);
  const names = await listing(join(root, folder));
  if (names === null) {
    const above = await listing(join(root, dirname(folder)));
    const near = above === null ? null : nearest(basename(folder), above);
    const hint = near === null ? null : `did you mean the folder ${posix.join(dirname(folder), near)}?`;
    return { why: `there is no folder ${folder}`, hint };
  }
  const name = basename(wanted);
  const near = nearest(name, names) ?? nearByStem(name, names);
  if (near === null) return { why: `there is no ${wanted}`, hint: `${folder}/ holds ${shown(names)}` };
  const fixed = posix.join(posix.dirname(specifier), near);
  const hint = `did you mean "${fixed.startsWith('.') ? fixed : `./${fixed}`}"?`;
  const caseOnly = near.toLowerCase() === name.toLowerCase() && near !== name;
  return { why: caseOnly ? `the file is written ${near}, and case counts` : `there is no ${wanted}`, hint };
}

function nearByStem(name: string, names: readonly string[]): string | null {
  const stem = (text: string): string => text.replace(/\.[^.]+$/, '');
  const near = nearest(stem(name), names.map(stem));
  return names.find((each) => stem(each) === near) ?? null;
}

function shown(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  return `${names.slice(0, 6).join(', ')}${names.length > 6 ? ', …' : ''}`;
}

async function listing(folder: string): Promise<string[] | null> {
  return readdir(folder).then(
    (names) => names.filter((name) => !name.startsWith('.')).toSorted(),
    () => null,
  );
}
