import type { AppLimitsInput } from '../../runtime/contract/app-limits.ts';
import { deployLimits } from '../../runtime/contract/limits.ts';
import type { AppPolicy } from '../../runtime/supervisor/launch-plan.ts';

/** What a preview may have: what apps may, and no more than `ceilings` or ours. */
export function previewAppPolicy(policy: AppPolicy, ceilings: AppLimitsInput = {}): AppPolicy {
  const { previewMemoryMb: memoryMb, previewThreads: threads, previewIdleStopMs: idleStopMs } = deployLimits;
  const most: AppLimitsInput = { memoryMb, threads, idleStopMs, ...ceilings };
  for (const key of Object.keys(policy.ceilings ?? {}) as (keyof AppLimitsInput)[]) {
    const all = policy.ceilings?.[key];
    if (all === undefined) continue;
    // For this one 0 is more than any number.
    const unbounded = key === 'idleStopMs' && most[key] === 0;
    most[key] = unbounded ? all : Math.min(most[key] ?? all, key === 'idleStopMs' && all === 0 ? Infinity : all);
  }
  return { ...policy, ceilings: most };
}
