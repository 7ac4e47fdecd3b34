import type { ChildProcessByStdio } from 'node:child_process';
import { lstat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { installsDir } from '../../builder/dependencies/install.ts';
import { findNpm, npmSteps, outcomeOf, runSteps } from '../../builder/dependencies/npm.ts';
import type { NpmRequest, NpmResult } from '../../builder/dependencies/npm.ts';
import type { Cgroups } from '../../runtime/supervisor/cgroup.ts';
import { boundNpmCache } from './npm-cache.ts';
import { cgroupFor, Guard } from './guard.ts';
import type { BuildCaps } from './guard.ts';
import type { Jail } from './jail.ts';
import { downloadEnv, launch, scriptEnv } from './launch.ts';
import { nameOf, npmCacheDir, npmView } from './places.ts';
import type { BuildPlaces } from './places.ts';

/** With what npm is run. */
export interface NpmRunOptions {
  jail: Jail;
  places: BuildPlaces;
  cgroups: Cgroups | null;
  caps: BuildCaps;
  signal: AbortSignal;
}

/**
 * Runs npm for a build process, in jails of their own: one with the network that runs no scripts; and, where
 * fnrun.json asks for scripts, one without. Null: there is no npm here.
 */
export async function runNpm(request: NpmRequest, options: NpmRunOptions): Promise<NpmResult | null> {
  const { jail, places, cgroups, caps, signal } = options;
  const { dir, scripts } = await checkRequest(request, places);
  if (scripts !== null && !jail.closed) {
    const refused =
      'this server has no jail for builds, and without one scripts of packages could read all that it may';
    return { step: 'rebuild', exitCode: 1, output: '', exceeded: null, refused };
  }
  const npm = findNpm();
  if (npm === null) return null;
  const cache = npmCacheDir(places.cacheDir);
  await boundNpmCache(cache);
  const view = npmView(dir, places);
  return await runSteps(npmSteps(scripts), async ({ args, network }) => {
    signal.throwIfAborted();
    const cgroup = cgroupFor(`${nameOf(places)}.npm`, { cgroups, caps });
    const child = launch({
      command: jail.forNpm(view, { npm, args, trusted: network, cwd: dir }),
      env: network ? downloadEnv({ cache, closed: jail.closed }) : scriptEnv({ cache }),
      cgroup,
      cwd: dir,
      ipc: false,
    });
    const guard = new Guard(child, { cgroup, caps });
    guard.watch();
    try {
      const outcome = await outcomeOf(child as ChildProcessByStdio<null, Readable, Readable>, { signal });
      return { ...outcome, exceeded: outcome.exitCode === 0 ? null : guard.exceeded };
    } finally {
      await guard.clear();
    }
  });
}

/** A build process reads what strangers wrote: npm gets no other folder to write to than a new one of this app's cache. */
async function checkRequest({ dir, scripts }: NpmRequest, { cacheDir }: BuildPlaces): Promise<NpmRequest> {
  const staging = join(installsDir(cacheDir), basename(dir));
  const fits =
    dir === staging &&
    basename(dir).startsWith('.new-') &&
    (await lstat(dirname(staging))).isDirectory() &&
    (await lstat(staging)).isDirectory();
  const names = scripts === null || scripts === true ? [] : scripts;
  const named = Array.isArray(names) && names.every((name) => typeof name === 'string' && !name.startsWith('-'));
  if (!fits || !named) throw new Error(`npm was asked to install into ${dir}, which is no folder for it`);
  return { dir, scripts };
}
