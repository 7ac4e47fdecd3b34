import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { packageRoot } from '../runtime/entry-points.ts';

/** How to call this program in a command line that is printed for a person to copy. */
export function ownName(env: NodeJS.ProcessEnv): string {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  if (folders.some((folder) => isExecutable(join(folder, 'fnrun')))) {
    // npx and npm run put node_modules/.bin into PATH for themselves only.
    return env['npm_execpath'] === undefined ? 'fnrun' : 'npx fnrun';
  }
  return `node ${join(packageRoot(), 'cli/fnrun.js')}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
