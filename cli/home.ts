import { accessSync, constants, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Home of the server on a provisioned machine. */
export const serviceHome = '/var/lib/fnrun';

/**
 * Absolute path of the server's folder: `flag` (`--home`), else `$FNRUN_HOME`, else
 * /var/lib/fnrun when it is there and writable (the service user), else `./.fnrun`.
 */
export function resolveHome(flag: string | undefined, options: { env: NodeJS.ProcessEnv; cwd: string }): string {
  const named = flag ?? options.env['FNRUN_HOME'];
  if (named !== undefined && named !== '') return resolve(options.cwd, named);
  return isWritable(serviceHome) ? serviceHome : resolve(options.cwd, '.fnrun');
}

/** Whether a command is meant for a server of this machine: one is named, or found where servers are. */
export function meansThisMachine(flag: string | undefined, options: { env: NodeJS.ProcessEnv; cwd: string }): boolean {
  if (flag !== undefined || (options.env['FNRUN_HOME'] ?? '') !== '') return true;
  // ./.fnrun alone says nothing: local builds are in such a folder too.
  return isWritable(serviceHome) || existsSync(join(options.cwd, '.fnrun/run/control.sock'));
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
