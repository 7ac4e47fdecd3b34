import type { AppHost, AppHostOptions } from '../runtime/supervisor/app-host.ts';
import type { Cgroups } from '../runtime/supervisor/cgroup.ts';
import { ConnectionShares } from '../runtime/supervisor/connection-shares.ts';
import { createAppHost } from '../runtime/supervisor/create-app-host.ts';
import type { AppPolicy } from '../runtime/supervisor/launch-plan.ts';

/** What the operator lets apps and their previews have. */
export interface HostFactoryOptions {
  policy: AppPolicy;
  previews: AppPolicy;
  cgroups: Cgroups | null;
}

/** Makes app hosts; an app and its previews (`of` is the app) have one budget of database connections. */
export function hostFactory({ policy, previews, cgroups }: HostFactoryOptions) {
  const shares = new Map<string, ConnectionShares>();
  return (host: AppHostOptions, { preview: isPreview, of }: { preview: boolean; of: string }): AppHost => {
    const connectionShares = shares.get(of) ?? new ConnectionShares();
    shares.set(of, connectionShares);
    return createAppHost({ ...host, policy: isPreview ? previews : policy, cgroups, connectionShares, isPreview });
  };
}
