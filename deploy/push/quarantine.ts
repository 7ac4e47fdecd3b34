import { realpathSync } from 'node:fs';
import { delimiter, resolve, sep } from 'node:path';
import { FnrunError } from '../../runtime/contract/errors.ts';
import type { Quarantine } from '../git/run.ts';

/**
 * The quarantine as absolute paths; null when git made none, because the push brings no
 * objects. Throws FN_BAD_REQUEST when it lies outside the
 * repository's objects: the daemon reads only what was pushed to this very repository.
 */
export function checkQuarantine(quarantine: Quarantine, repository: string): Quarantine | null {
  if (quarantine.path === '') return null;
  const objects = realpathSync(resolve(repository, 'objects'));
  const inside = (path: string): string => {
    const absolute = realPath(resolve(repository, path));
    if (absolute === objects || absolute.startsWith(objects + sep)) return absolute;
    throw new FnrunError('FN_BAD_REQUEST', `The quarantine lies outside the repository: ${path}`);
  };
  return {
    objectDirectory: inside(quarantine.objectDirectory),
    alternates: quarantine.alternates
      .split(delimiter)
      .filter((path) => path !== '')
      .map(inside)
      .join(delimiter),
    path: inside(quarantine.path),
  };
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new FnrunError('FN_BAD_REQUEST', `The quarantine is not there: ${path}`, { cause });
  }
}
