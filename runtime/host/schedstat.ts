import { readFileSync } from 'node:fs';

/**
 * How long a thread of this process has waited for a CPU since it began, in ms: the second
 * field of its schedstat (Linux). 0 where that is not known.
 */
export function runnableWaitMs(tid: number | null): number {
  if (tid === null) return 0;
  try {
    const fields = readFileSync(`/proc/self/task/${tid}/schedstat`, 'latin1').split(' ');
    return Number(fields[1] ?? 0) / 1e6;
  } catch {
    return 0;
  }
}
