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

/** Memory of one process, in MB. */
export interface Memory {
  /** Resident; pages that processes share (the binary of Node) count in each of them. */
  rssMb: number;
  /** Proportional: shared pages are divided by the number of processes that have them. */
  pssMb: number;
}

/** Memory of these processes together. */
export async function memoryOf(pids: readonly number[]): Promise<Memory> {
  const sum = { rssMb: 0, pssMb: 0 };
  for (const pid of pids) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]);
    sum.rssMb += kilobytes('Rss') / 1024;
    sum.pssMb += kilobytes('Pss') / 1024;
  }
  return sum;
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
