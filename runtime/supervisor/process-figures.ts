import { readdirSync, readFileSync, statSync } from 'node:fs';

/** What /proc tells of one process. */
export interface ProcessFigures {
  rssBytes: number;
  /** Kernel threads. */
  threads: number;
}

/** Memory and threads of `pid`; null when it is gone, or where there is no /proc. */
export function readFigures(pid: number): ProcessFigures | null {
  const text = read(`/proc/${pid}/status`);
  const rss = text === null ? null : /^VmRSS:\s+(\d+) kB$/m.exec(text);
  const threads = text === null ? null : /^Threads:\s+(\d+)$/m.exec(text);
  // A zombie has no memory left to tell of.
  return rss === null || threads === null ? null : { rssBytes: Number(rss[1]) * 1024, threads: Number(threads[1]) };
}

/** CPU time that `pid` and its waited-for children have used, in ms; null when it is gone. */
export function readCpuMs(pid: number): number | null {
  const fields = statOf(pid);
  if (fields === null) return null;
  // Fields 14 to 17 of proc(5), in ticks of USER_HZ, which is 100 on every Linux.
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * 10;
}

/** Time that the main thread of `pid` stood in line for a CPU since it started, in ms; null where that is not known. */
export function readWaitedMs(pid: number): number | null {
  const waited = read(`/proc/${pid}/task/${pid}/schedstat`)?.split(' ')[1];
  return waited === undefined ? null : Number(waited) / 1e6;
}

/** CPU time of each thread of `pid` by its id, in ms; null when it is gone. The main thread has the id of the process. */
export function readThreadsCpuMs(pid: number): Map<number, number> | null {
  try {
    const threads = new Map<number, number>();
    for (const id of readdirSync(`/proc/${pid}/task`)) {
      const fields = fieldsOf(read(`/proc/${pid}/task/${id}/stat`));
      if (fields !== null) threads.set(Number(id), (Number(fields[11]) + Number(fields[12])) * 10);
    }
    return threads;
  } catch {
    return null;
  }
}

/** Open file descriptors of `pid`; null when that cannot be known. */
export function countOpenFiles(pid: number): number | null {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).length;
  } catch {
    // A process of another user: the size tells it since Linux 6.2, and is 0 before.
    return statSync(folder, { throwIfNoEntry: false })?.size || null;
  }
}

/** The fields of /proc/<pid>/stat after the name, which may hold blanks and brackets: state, parent, group, session, … */
export function statOf(pid: number): string[] | null {
  return fieldsOf(read(`/proc/${pid}/stat`));
}

function fieldsOf(text: string | null): string[] | null {
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

// Synchronous: procfs answers from memory, in a fraction of what a turn of the thread pool takes.
function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
