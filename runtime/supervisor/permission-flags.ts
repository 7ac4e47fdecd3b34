import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import type { AppPermissions } from '../contract/app-permissions.ts';
import { packageRoot } from '../entry-points.ts';

/** What every program reads: configuration, certificates, time zones, libraries, its own process. */
const systemPaths = ['/etc', '/usr', '/lib', '/lib64', '/bin', '/opt', '/proc', '/sys', '/dev'];

/** The temporary folder of an app host: its environment names no other. */
const temporaryPath = '/tmp';

/**
 * Node's flags that hold an app's code to its permissions: a guard-rail, no wall (code that wants out
 * starts a worker with `execArgv: []`). `readable`: folders with the app's own files; null: it may read any file.
 */
export function permissionFlags(permissions: AppPermissions, readable: readonly string[] | null): string[] {
  const { childProcess, addons, inspector, wasi, fsRead, fsWrite } = permissions;
  const read =
    readable === null || fsRead.includes('*')
      ? ['*']
      : [...programPaths(), ...systemPaths, temporaryPath, ...readable, ...fsRead, ...fsWrite];
  const write = fsWrite.includes('*') ? ['*'] : [temporaryPath, '/dev/null', ...fsWrite];
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
    // Every thread would say on standard error that --allow-worker weakens the model and that --allow-net is new.
    '--disable-warning=PERM0006',
    '--disable-warning=ExperimentalWarning',
  ];
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
