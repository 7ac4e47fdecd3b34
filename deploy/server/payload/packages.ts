import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { FnrunError } from '../../../runtime/contract/errors.ts';

/** A package that fnrun needs to run. */
export interface NeededPackage {
  name: string;
  /** Where it is here. */
  dir: string;
  /** Where it shall be, from fnrun's own folder: `node_modules/hono`. */
  path: string;
}

/** What a server is, as npm's package.json says it. */
export interface Platform {
  os: 'linux';
  /** As Node has it. */
  cpu: string;
  libc: 'glibc';
}

interface PackageJson {
  name?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

/**
 * The packages that fnrun at `root` needs to run on `platform`, found as Node finds them. Its own optional dependencies,
 * which are Nodes, are not among them. Throws FN_SETUP_FAILED when one is missing here.
 */
export function neededPackages(root: string, platform: Platform): NeededPackage[] {
  const found = new Map<string, NeededPackage>();
  const own = readPackage(root);
  const queue = Object.keys(own.dependencies ?? {}).map((name) => ({ name, from: root, optional: false }));
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { name, from, optional } = next;
    const dir = resolvePackage(name, from);
    if (dir === null) {
      if (optional) continue;
      throw new FnrunError('FN_SETUP_FAILED', `The package ${name} is not installed here: fnrun is not whole`, {
        hint: 'run npm install where fnrun is',
      });
    }
    const json = readPackage(dir);
    if (!runsOn(json, platform)) continue;
    const path = placeOf(dir, root);
    const before = found.get(path);
    if (before?.dir === dir) continue;
    if (before !== undefined) {
      throw new FnrunError('FN_SETUP_FAILED', `Two packages would be at ${path}: ${before.dir} and ${dir}`, {
        hint: 'install fnrun by itself: npm install --global fnrun',
      });
    }
    found.set(path, { name, dir, path });
    const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = json;
    for (const each of Object.keys(dependencies))
      queue.push({ name: each, from: dir, optional: each in optionalDependencies });
    // Types are asked for as peers, and nothing reads them when it runs.
    const peers = Object.keys(peerDependencies).filter((each) => !each.startsWith('@types/'));
    for (const each of [...Object.keys(optionalDependencies), ...peers]) {
      queue.push({ name: each, from: dir, optional: true });
    }
  }
  const packages = [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  checkBundler(packages, platform);
  return packages;
}

/** esbuild is a program of its own for each platform, and the only such package that fnrun cannot do without. */
function checkBundler(packages: readonly NeededPackage[], { os, cpu }: Platform): void {
  const name = `@esbuild/${os}-${cpu}`;
  if (packages.some((each) => each.name === name)) return;
  throw new FnrunError('FN_SETUP_FAILED', `fnrun here has not the part of esbuild for the server (${os}, ${cpu})`, {
    hint: `where fnrun is: npm install --no-save --os=${os} --cpu=${cpu} ${name}, or run fnrun server setup local on the server`,
  });
}

function resolvePackage(name: string, from: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const dir = join(folder, 'node_modules', name);
    if (existsSync(join(dir, 'package.json'))) return realpathSync(dir);
    if (folder === dirname(folder)) return null;
  }
}

/** Below fnrun's own folder it stays where it is; what npm put beside or above fnrun comes into it. */
function placeOf(dir: string, root: string): string {
  const within = relative(root, dir);
  if (!within.startsWith('..')) return within.split(sep).join('/');
  const from = dir.indexOf(`${sep}node_modules${sep}`);
  return dir
    .slice(from + 1)
    .split(sep)
    .join('/');
}

function runsOn(json: PackageJson, { os, cpu, libc }: Platform): boolean {
  return allows(json.os, os) && allows(json.cpu, cpu) && allows(json.libc, libc);
}

function allows(list: readonly string[] | undefined, value: string): boolean {
  if (list === undefined || list.length === 0) return true;
  const refused = list.filter((each) => each.startsWith('!')).map((each) => each.slice(1));
  if (refused.includes(value)) return false;
  return refused.length === list.length || list.includes(value) || list.includes('any');
}

function readPackage(dir: string): PackageJson {
  return JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as PackageJson;
}
