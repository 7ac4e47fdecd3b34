import { workerLimits } from '../contract/limits.ts';

/** What decides how many threads an app may have. */
export interface ThreadCapOptions {
  /** `limits.threads`. @default workerLimits.threadsMax */
  threads?: number;
  /** `limits.memoryMb`: resident memory of the whole host. @default unbounded */
  appMemoryMb?: number;
}

/**
 * Threads of one app host at most, reserve included: those its memory carries when each holds what a
 * warm one was measured to, never above `threads`, never below what an app needs to be deployed at all.
 */
export function threadCap({ threads, appMemoryMb }: ThreadCapOptions): number {
  const { threadsMax, threadsMin, hostMb, threadMb } = workerLimits;
  const carried = Math.floor(((appMemoryMb ?? Infinity) - hostMb) / threadMb);
  return Math.max(threadsMin, Math.min(threads ?? threadsMax, carried));
}
