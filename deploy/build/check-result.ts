import { join } from 'node:path';
import type { BuildResult } from '../../builder/build.ts';
import type { BuildPlaces } from './places.ts';

/**
 * The result of a build process, which has read what strangers wrote: the daemon takes no path of it. A release
 * lies where releases lie, under its id. Throws when that is none.
 */
export function checkResult(result: BuildResult, { releasesDir }: BuildPlaces): BuildResult {
  if (!result.ok) return { ...result, ok: false };
  const { release } = result;
  if (typeof release !== 'string' || !/^[0-9a-z][0-9a-z-]*$/i.test(release) || result.manifest.release !== release)
    throw new Error('The build process gave a release without a proper id');
  return { ...result, dir: join(releasesDir, release) };
}
