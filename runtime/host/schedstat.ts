import { readFileSync } from 'node:fs';

/** What the kernel says of a thread's time, in ms since it started. */
export interface ThreadTimes {
  /** On a CPU. */
  ranMs: number;
  /** Ready to run, and in line for a CPU. */
  waitedMs: number;
}

/** The times of a thread of this process, from its schedstat (Linux). Null where they are not known. */
export function threadTimes(tid: number | null): ThreadTimes | null {
  if (tid === null) return null;
  try {
    const [ran, waited] = readFileSync(`/proc/self/task/${tid}/schedstat`, 'latin1').split(' ');
    return { ranMs: Number(ran) / 1e6, waitedMs: Number(waited) / 1e6 };
  } catch {
    return null;
  }
}

/** CPU time that a thread of this process has used, in ms. Null where that is not known. */
export function threadCpuMs(tid: number | null): number | null {
  return threadTimes(tid)?.ranMs ?? null;
}
