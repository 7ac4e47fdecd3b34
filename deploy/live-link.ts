import { rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeployContext, ManagedApp } from './context.ts';

/**
 * Points the link `live` of an app at the folder of the release that serves, in one step: nginx finds the files of
 * public/ by it, so that no deployment needs a reload. Without it they come from the app host: no reason to fail.
 */
export async function linkLive(
  { store, log }: Pick<DeployContext, 'store' | 'log'>,
  { name, paths, live }: Pick<ManagedApp, 'name' | 'paths' | 'live'>,
): Promise<void> {
  const release = live === null ? null : await store.getRelease(name, live.release);
  if (release === null) return;
  const temporary = `${paths.live}.new`;
  try {
    await rm(temporary, { force: true });
    // From the folder of the link: a home may be moved.
    await symlink(join('releases', release.build), temporary);
    await rename(temporary, paths.live);
  } catch (error) {
    log(`${name}: cannot point ${paths.live} at the live release: ${(error as Error).message}`);
  }
}
