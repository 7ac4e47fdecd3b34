import { readdir, readFile } from 'node:fs/promises';
import { median } from '../bench/measure.ts';

/** What a process holds at a moment. */
export interface Usage {
  rssMb: number;
  fds: number;
  threads: number;
}

/** Reads from /proc; rejects when the process is gone. */
export async function usageOf(pid: number): Promise<Usage> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const value = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    rssMb: Math.round(value('VmRSS') / 1024),
    fds: (await readdir(`/proc/${pid}/fd`)).length,
    threads: value('Threads'),
  };
}

/** Whether something grew over a run. */
export interface Trend {
  /** Median of the first third of the samples, and of the last. */
  first: number;
  last: number;
  flat: boolean;
}

/** Samples without the first of them, at most a third: pools and heaps fill up. */
export function settled(samples: readonly Usage[], { warmUp }: { warmUp: number }): Usage[] {
  return samples.slice(Math.min(warmUp, Math.floor(samples.length / 3)));
}

/** Growth up to here is none: heaps settle where they like, and small numbers jump by one. */
const growth = 1.15;
const slack = { rssMb: 0, fds: 4, threads: 4 } as const;

/** How each figure developed, from samples taken at even distances, once pools and heaps are filled. */
export function trendsOf(samples: readonly Usage[]): Record<keyof Usage, Trend> {
  const trendOf = (figure: keyof Usage): Trend => {
    const values = samples.map((sample) => sample[figure]);
    const third = Math.max(1, Math.floor(values.length / 3));
    const first = median(values.slice(0, third));
    const last = median(values.slice(-third));
    return { first, last, flat: last <= first * growth + slack[figure] };
  };
  return { rssMb: trendOf('rssMb'), fds: trendOf('fds'), threads: trendOf('threads') };
}
