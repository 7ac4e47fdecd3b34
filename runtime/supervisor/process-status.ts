import type { AppHostStatus, HostUse } from './app-host.ts';
import type { HostProcess } from './host-process.ts';
import { countOpenFiles } from './process-figures.ts';

type ProcessStatus = Pick<AppHostStatus, 'pid' | 'limits' | 'permissions' | 'use'>;

/** What can be told of an app's process, or of there being none. */
export function processStatus(host: HostProcess | null, measured: { cpus: number } | null): ProcessStatus {
  if (host === null) return { pid: null, limits: null, permissions: null, use: null };
  const { limits, permissions } = host.plan;
  return { pid: host.pid, limits, permissions, use: hostUse(host, measured?.cpus ?? 0) };
}

/** Null when the process is gone, or where there is no /proc. */
function hostUse(host: HostProcess, cpus: number): HostUse | null {
  const use = host.watch.use();
  if (use === null) return null;
  const { memoryBytes, processes, tasks } = use;
  const heldBy = host.inCgroup ? 'cgroup' : 'watch';
  return { memoryBytes, processes, tasks, openFiles: countOpenFiles(host.pid), cpus, heldBy };
}
