import { readdir, readFile } from 'node:fs/promises';

/** Kernel clock ticks a second, as /proc counts CPU time (USER_HZ; 100 on every Linux that Node runs on). */
const ticksPerSecond = 100;

/** CPU time, in ms, that a process and all its descendants have used so far, all their threads included. */
export async function cpuTimeMs(pid: number): Promise<number> {
  const parents = new Map<number, { parent: number; ticks: number }>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    // The name in parentheses may hold spaces: fields are counted behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields.length < 14) continue;
    parents.set(Number(entry), { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) });
  }
  const belongs = (of: number): boolean => {
    for (let at = of, depth = 0; at > 1 && depth < 10; depth++, at = parents.get(at)?.parent ?? 0)
      if (at === pid) return true;
    return false;
  };
  let ticks = 0;
  for (const [own, entry] of parents) if (belongs(own)) ticks += entry.ticks;
  return (ticks * 1000) / ticksPerSecond;
}

/** The middle value; of an even number, the mean of the two. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Linear interpolation between the closest ranks. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = ((sorted.length - 1) * percent) / 100;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** Rounded for people: three significant digits, whole from a hundred on. */
export function round(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
