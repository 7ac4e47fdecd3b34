import { readFileSync } from 'node:fs';

/**
 * CPU time that a thread of this process has used, in ms: the first field of its schedstat
 * (Linux). Null where that is not known.
 */
export function threadCpuMs(tid: number | null): number | null {
  if (tid === null) return null;
  try {
    const [ran] = readFileSync(`/proc/self/task/${tid}/schedstat`, 'latin1').split(' ');
    return Number(ran) / 1e6;
  } catch {
    return null;
  }
}
