import { hostLimits } from '../contract/limits.ts';
import { readWaitedMs } from './process-figures.ts';

/** Time that a process's main thread stood in line for a CPU, in ms; null: not known. */
export type WaitedMs = (pid: number) => number | null;

/** Tells whether a process has stood in line for a CPU since the call, most of the time and not for too long. */
export function watchLine(pid: number, waitedMs: WaitedMs = readWaitedMs): () => boolean {
  const since = performance.now();
  const read = (): number => waitedMs(pid) ?? 0;
  const before = read();
  return () => {
    const elapsed = performance.now() - since;
    return elapsed < hostLimits.starvedMs && read() - before >= hostLimits.starvedShare * elapsed;
  };
}

/**
 * Calls `late` once, with the time that has passed, when a process that starts is not there in time. One that stands in line for a CPU
 * has longer: whatever would be started in its place would stand there too, and begin anew. Returns what ends the waiting.
 */
export function startDeadline(pid: number, late: (afterMs: number) => void, waitedMs?: WaitedMs): () => void {
  const since = performance.now();
  const isStarved = watchLine(pid, waitedMs);
  const look = (): void => {
    if (isStarved()) timer = setTimeout(look, hostLimits.startLookMs);
    else late(Math.round(performance.now() - since));
  };
  let timer = setTimeout(look, hostLimits.startMs);
  return () => clearTimeout(timer);
}
