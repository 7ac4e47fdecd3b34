import type { AppLimits } from '../runtime/contract/app-limits.ts';
import { openCgroups } from '../runtime/supervisor/cgroup.ts';
import type { Cgroups, HostCgroup } from '../runtime/supervisor/cgroup.ts';

/** Without cgroups the limits are watched, which docs/limits.md tells; a delegated one that cannot be used is news. */
export function useCgroups(log: (line: string) => void): Cgroups | null {
  const found = openCgroups();
  if ('create' in found) {
    log(
      `limits are held by the cgroup ${found.dir}${found.cpu ? '' : ' (but for limits.cpus: it has no cpu controller)'}`,
    );
    return found;
  }
  return null;
}

/** A group for what is run for an app beside its own process; null: it is watched. */
export function groupFor(
  app: string,
  { limits, cgroups, log }: { limits: AppLimits; cgroups: Cgroups | null; log: (line: string) => void },
): HostCgroup | null {
  try {
    return cgroups?.create(app, limits) ?? null;
  } catch (error) {
    log(`${app}: has no cgroup, its limits are watched instead: ${(error as Error).message}`);
    return null;
  }
}
