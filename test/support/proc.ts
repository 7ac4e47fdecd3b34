import { readdir, readFile } from 'node:fs/promises';

/** Process ids of the children of `pid` (Linux). */
async function childrenOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8')));
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

/** Resident memory of a process, in bytes (Linux). */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`process ${pid} tells no VmRSS`);
  return Number(kibibytes) * 1024;
}

/** The child of `pid` whose command line holds `text`; rejects when there is none. */
export async function childNamed(pid: number, text: string): Promise<number> {
  for (const child of await childrenOf(pid)) {
    if ((await readFile(`/proc/${child}/cmdline`, 'utf8')).includes(text)) return child;
  }
  throw new Error(`process ${pid} has no child with "${text}" in its command line`);
}

/** Process ids of all that came from `pid` and is there, itself left out (Linux). */
export async function descendantsOf(pid: number): Promise<number[]> {
  const children = await childrenOf(pid).catch(() => []);
  return [...children, ...(await Promise.all(children.map(descendantsOf))).flat()];
}

/** Resident memory of a process and of all that it started, in bytes (Linux). */
export async function residentTreeBytes(pid: number): Promise<number> {
  const children = await childrenOf(pid);
  const sizes = await Promise.all([residentBytes(pid), ...children.map((child) => residentTreeBytes(child))]);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Processes of the machine that have the variable `entry` (`NAME=value`) in their environment (Linux). */
export async function processesWith(entry: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')));
  return pids.filter((_, index) => environments[index]!.split('\0').includes(entry));
}

/** The scheduling policies of a process's threads, by their names in sched(7) (Linux). */
export async function policiesOf(pid: number): Promise<string[]> {
  const found = new Set<string>();
  for (const tid of await readdir(`/proc/${pid}/task`)) {
    const stat = await readFile(`/proc/${pid}/task/${tid}/stat`, 'utf8').catch(() => null);
    // Field 41; the name, the second, may hold blanks.
    const number = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[38];
    if (number !== undefined) found.add({ '0': 'SCHED_OTHER', '3': 'SCHED_BATCH' }[number] ?? number);
  }
  return [...found];
}

/** Whether a process does anything yet: one that ended and that nobody has asked about does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return stat !== null && !/\) [ZX] /.test(stat);
}

/** The process among all that `pid` started whose command line holds `text`; rejects when there is none. */
export async function descendantNamed(pid: number, text: string): Promise<number> {
  for (const child of await childrenOf(pid)) {
    if ((await readFile(`/proc/${child}/cmdline`, 'utf8')).includes(text)) return child;
    const below = await descendantNamed(child, text).catch(() => null);
    if (below !== null) return below;
  }
  throw new Error(`process ${pid} started nothing with "${text}" in its command line`);
}

/** Process id of the parent of `pid` (Linux). */
export async function parentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
}

/** The most resident memory that one process of `pid`'s tree has had whose command line fits, in bytes (Linux). */
export async function peakTreeBytes(pid: number, fits: RegExp): Promise<number> {
  try {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8');
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const own = fits.test(command) ? Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024 : 0;
    const children = await childrenOf(pid);
    return Math.max(own, ...(await Promise.all(children.map((child) => peakTreeBytes(child, fits)))));
  } catch {
    // Ended while it was looked at.
    return 0;
  }
}
