import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';

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

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
