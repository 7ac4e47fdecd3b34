import { readdir, readFile } from 'node:fs/promises';

/** Kernel clock ticks a second, as /proc counts CPU time (USER_HZ; 100 on every Linux that Node runs on). */
const ticksPerSecond = 100;

/** A process and all its descendants, its own id first. */
export async function familyOf(pid: number): Promise<number[]> {
  const children = new Map<number, number[]>();
  for (const { pid: child, parent } of await allProcesses())
    children.set(parent, [...(children.get(parent) ?? []), child]);
  const family = [pid];
  for (const member of family) family.push(...(children.get(member) ?? []));
  return family;
}

/** CPU time, in ms, that a process and all its descendants have used so far, all their threads included. */
export async function cpuTimeMs(pid: number): Promise<number> {
  const family = new Set(await familyOf(pid));
  const ticks = (await allProcesses()).reduce((sum, entry) => sum + (family.has(entry.pid) ? entry.ticks : 0), 0);
  return (ticks * 1000) / ticksPerSecond;
}

/** Memory of some processes, in MB. */
export interface Memory {
  /** The sum of what each has resident: pages that they share (the binary of Node) count in each of them. */
  rssMb: number;
  /** The same with shared pages counted once: what is private to each, and the shared ones of the process that has most. */
  residentMb: number;
}

/** Memory of these processes together, threads and all. */
export async function memoryOf(pids: readonly number[]): Promise<Memory> {
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/smaps_rollup`, 'utf8')));
  return sumMemory(texts);
}

/** Adds up what `/proc/<pid>/smaps_rollup` says of each process. */
export function sumMemory(rollups: readonly string[]): Memory {
  let rss = 0;
  let own = 0;
  let shared = 0;
  for (const text of rollups) {
    const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]);
    const privateKb = kilobytes('Private_Clean') + kilobytes('Private_Dirty');
    rss += kilobytes('Rss');
    own += privateKb;
    shared = Math.max(shared, kilobytes('Rss') - privateKb);
  }
  return { rssMb: rss / 1024, residentMb: (own + shared) / 1024 };
}

/** How many threads these processes have together. */
export async function threadsOf(pids: readonly number[]): Promise<number> {
  let threads = 0;
  for (const pid of pids) threads += (await readdir(`/proc/${pid}/task`)).length;
  return threads;
}

async function allProcesses(): Promise<{ pid: number; parent: number; ticks: number }[]> {
  const processes = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    // The name in parentheses may hold spaces: fields are counted behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields.length < 14) continue;
    processes.push({
      pid: Number(entry),
      parent: Number(fields[1]),
      ticks: Number(fields[11]) + Number(fields[12]),
    });
  }
  return processes;
}
