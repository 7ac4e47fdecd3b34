import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

// `npm run lock`, after installing or removing a package where the registry does not offer the
// binaries of every platform: npm then leaves their entries out of package-lock.json, and from
// 11.16 on `npm ci` refuses its own file ("Missing: …@ from lock file", npm/cli#9846). The
// entries made here name the platform, so that npm skips them everywhere else. They have no
// integrity, because nobody here could fetch them.

interface LockedPackage {
  version?: string;
  integrity?: string;
  optional?: boolean;
  dev?: boolean;
  optionalDependencies?: Record<string, string>;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

interface Lockfile {
  packages: Record<string, LockedPackage>;
}

const path = join(import.meta.dirname, '../../package-lock.json');
const lock = JSON.parse(await readFile(path, 'utf8')) as Lockfile;
const added: string[] = [];
for (const [owner, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  if (owner === '') continue;
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const nested = `${owner}/node_modules/${name}`;
    if (`node_modules/${name}` in lock.packages || nested in lock.packages) continue;
    lock.packages[`node_modules/${name}`] = {
      version,
      ...platformOf(name),
      ...(dev === true && { dev }),
      optional: true,
    };
    added.push(name);
  }
}
const byPath = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(byPath));
if (added.length > 0) await writeFile(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(
  added.length === 0 ? 'package-lock.json is complete' : `added ${added.length} entries:\n${added.join('\n')}`,
);

/** Reads a platform from a name such as `@oxlint/binding-linux-arm-gnueabihf`. Throws when there is none in it. */
function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> {
  const [, os, cpu, abi] = /(android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)(?:-(\w+))?$/.exec(name) ?? [];
  if (os === undefined || cpu === undefined)
    throw new Error(`${name} names no platform; add it to the lockfile by hand`);
  const libc = abi?.startsWith('gnu') === true ? 'glibc' : abi?.startsWith('musl') === true ? 'musl' : null;
  return { os: [os], cpu: [cpu], ...(os === 'linux' && libc !== null && { libc: [libc] }) };
}
