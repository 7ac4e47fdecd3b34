import { databaseLimits } from '../../contract/limits.ts';
import type { Invocation } from '../invocation.ts';

/** When something that may take `timeoutMs` must be over: in time for its invocation to answer still. */
export function deadlineOf(owner: Invocation | null, { now, timeoutMs }: { now: number; timeoutMs: number }): number {
  const own = now + timeoutMs;
  // What `waitUntil` goes on with has no answer to give.
  if (owner === null || owner.done || owner.waiting > 0) return own;
  const left = owner.deadlineAt - now;
  return Math.min(own, now + Math.max(left / 2, left - databaseLimits.answerMs));
}
