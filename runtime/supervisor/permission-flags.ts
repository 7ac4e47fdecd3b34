import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import type { AppPermissions } from '../contract/app-permissions.ts';
import { packageRoot } from '../entry-points.ts';

/** What every program reads: libraries, and of the configuration and the kernel what tells nothing of other programs. */
const systemPaths = [
  '/usr',
  '/lib',
  '/lib64',
  '/bin',
  '/opt',
  '/sys',
  '/dev',
  ...['ssl', 'pki', 'ca-certificates', 'fonts', 'mysql', 'passwd', 'group', 'services', 'mime.types'].map(inEtc),
  ...['hosts', 'hostname', 'host.conf', 'resolv.conf', 'nsswitch.conf', 'gai.conf', 'machine-id'].map(inEtc),
  ...['localtime', 'timezone', 'locale.conf', 'os-release', 'debian_version', 'ld.so.cache'].map(inEtc),
  ...['self', 'thread-self', 'sys', 'meminfo', 'cpuinfo', 'stat', 'loadavg', 'uptime', 'version'].map(inProc),
];

/** The temporary folder of all; on macOS it is a link. */
const sharedTemporary = [...new Set(['/tmp', realpathSync('/tmp')])];

/**
 * Every thread would say on standard error that what is allowed weakens the model, and that --allow-net is new:
 * docs/limits.md says it once.
 */
const silenced = ['PERM0001', 'PERM0002', 'PERM0004', 'PERM0005', 'PERM0006', 'ExperimentalWarning'];

/**
 * Node's flags that hold an app's code to its permissions: a guard-rail, no wall (code that wants out
 * starts a worker with `execArgv: []`). `readable`: folders with the app's own files; null: it may read any file.
 * `temporary`: a folder of its own, beside /tmp.
 */
export function permissionFlags(
  permissions: AppPermissions,
  { readable, temporary = null }: { readable: readonly string[] | null; temporary?: string | null },
): string[] {
  const temporaryPaths = temporary === null ? sharedTemporary : [temporary, ...sharedTemporary];
  const { childProcess, addons, inspector, wasi, fsRead, fsWrite } = permissions;
  const read =
    readable === null || fsRead.includes('*')
      ? ['*']
      : [...programPaths(), ...systemPaths, ...temporaryPaths, ...readable, ...fsRead, ...fsWrite];
  const write = fsWrite.includes('*') ? ['*'] : [...temporaryPaths, '/dev/null', ...fsWrite];
  return [
    '--permission',
    '--allow-worker',
    '--allow-net',
    ...(childProcess ? ['--allow-child-process'] : []),
    ...(addons ? ['--allow-addons'] : []),
    ...(inspector ? ['--allow-inspector'] : []),
    ...(wasi ? ['--allow-wasi'] : []),
    ...[...new Set(read)].map((path) => `--allow-fs-read=${path}`),
    ...[...new Set(write)].map((path) => `--allow-fs-write=${path}`),
    ...silenced.map((warning) => `--disable-warning=${warning}`),
  ];
}

function inEtc(name: string): string {
  return `/etc/${name}`;
}

function inProc(name: string): string {
  return `/proc/${name}`;
}

/** fnrun itself and the packages it runs with, wherever npm has put them. */
function programPaths(): string[] {
  const root = packageRoot();
  const piscina = createRequire(import.meta.url).resolve('piscina');
  return [root, realpathSync(root), outermostModules(root), outermostModules(realpathSync(piscina))];
}

/** The outermost node_modules that `path` is in; else its own folder. */
function outermostModules(path: string): string {
  const at = path.indexOf(`${sep}node_modules${sep}`);
  return at === -1 ? dirname(path) : path.slice(0, at + `${sep}node_modules`.length);
}
