import type { ActivateResult, HostStats, LoadResult, ProbeResult } from '../contract/ipc.ts';
import { deployLimits, hostLimits, workerLimits } from '../contract/limits.ts';
import type { ReleaseRef } from './app-host.ts';
import type { HostProcess } from './host-process.ts';
import type { LaunchPlan } from './launch-plan.ts';

/** How a loaded release is made the one that a host serves. */
export interface ActivateOptions {
  release: string;
  plan: LaunchPlan;
  /** Workers to have ready first, by function, beside those that the host has of an older release. */
  warm: Record<string, number> | null;
  /** Whether a function that does not load keeps the release from going live. */
  strict: boolean;
}

export async function activateIn(host: HostProcess, options: ActivateOptions): Promise<ActivateResult> {
  const { release, plan, warm, strict } = options;
  const { logLinesPerSecond } = plan.limits;
  const deadlineMs = workerLimits.loadMs + hostLimits.startMs;
  const message = { type: 'activate', release, logLinesPerSecond, warm, strict } as const;
  return (await host.request(message, { deadlineMs })) as ActivateResult;
}

/** Loads a candidate and, with `check`, every function of it in a worker. */
export async function loadIn(
  host: HostProcess,
  candidate: ReleaseRef,
  { check, fresh }: { check: boolean; fresh: boolean },
): Promise<LoadResult> {
  const message = { type: 'load', ...candidate, check, fresh } as const;
  return (await host.request(message, { deadlineMs: hostLimits.bootCheckMs })) as LoadResult;
}

/** Asks a loaded candidate's functions what their `check` settings name. */
export async function probeIn(host: HostProcess, release: string): Promise<ProbeResult> {
  const deadlineMs = deployLimits.checksMs + hostLimits.startMs;
  return (await host.request({ type: 'probe', release }, { deadlineMs })) as ProbeResult;
}

/** Waits until `host` runs and serves `live`, if there is one; kills it when that fails. */
export async function bringUp(
  host: HostProcess,
  { live, warm = null }: { live: ReleaseRef | null; warm?: Record<string, number> | null },
): Promise<void> {
  try {
    await host.started;
    if (live === null) return;
    const message = { type: 'load', ...live, check: false, fresh: false } as const;
    await host.request(message, { deadlineMs: hostLimits.startMs });
    await activateIn(host, { release: live.release, plan: host.plan, warm, strict: false });
  } catch (error) {
    host.kill('the live release could not be loaded');
    throw error;
  }
}

/** Figures of `host`; null when it does not tell: a host that has died meanwhile has none. */
export async function statsOf(host: HostProcess): Promise<HostStats | null> {
  try {
    return (await host.request({ type: 'stats' }, { deadlineMs: hostLimits.statsMs })) as HostStats;
  } catch {
    return null;
  }
}
