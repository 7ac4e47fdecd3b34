import { readdirSync, readFileSync } from 'node:fs';

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

/** Open file descriptors of `pid`; null when that cannot be known. */
export function countOpenFiles(pid: number): number | null {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return null;
  }
}

/** A process by its id and, because ids are used again, the time of its start in ticks since boot. */
export type ProcessIds = ReadonlyMap<number, string>;

/**
 * Processes that come from `pid`, itself left out: its children's children too, and what has lost its parent
 * but is in the session that `pid` leads. `known`: descendants seen before; they and their children count also
 * when orphaned. `maxAgeMs`: how old the view of the machine may be, which all apps share.
 */
export function descendantsOf(pid: number, { known, maxAgeMs }: { known: ProcessIds; maxAgeMs: number }): ProcessIds {
  const { all, children } = processTable(maxAgeMs);
  const pending = [pid];
  for (const [other, { session, started }] of all) {
    if (session === pid || known.get(other) === started) pending.push(other);
  }
  const found = new Map<number, string>();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const entry = all.get(next);
    if (found.has(next)) continue;
    if (next !== pid && entry !== undefined) found.set(next, entry.started);
    if (next === pid || entry !== undefined) pending.push(...(children.get(next) ?? []).filter((one) => one !== pid));
  }
  return found;
}

interface ProcessTable {
  all: Map<number, { session: number; started: string }>;
  children: Map<number, number[]>;
}

let lastTable: { table: ProcessTable; at: number } | null = null;

/** Every process of the machine. Read once for all apps that ask at about the same time: it takes 20 µs a process. */
function processTable(maxAgeMs: number): ProcessTable {
  const now = performance.now();
  if (lastTable !== null && now - lastTable.at < maxAgeMs) return lastTable.table;
  const table: ProcessTable = { all: new Map(), children: new Map() };
  for (const pid of allProcesses()) {
    const fields = statOf(pid);
    // A zombie runs nothing.
    if (fields === null || fields[0] === 'Z') continue;
    const parent = Number(fields[1]);
    table.all.set(pid, { session: Number(fields[3]), started: fields[19] ?? '' });
    const siblings = table.children.get(parent);
    if (siblings === undefined) table.children.set(parent, [pid]);
    else siblings.push(pid);
  }
  lastTable = { table, at: now };
  return table;
}

function allProcesses(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** The fields of /proc/<pid>/stat after the name, which may hold blanks and brackets: state, parent, group, session, … */
function statOf(pid: number): string[] | null {
  const text = read(`/proc/${pid}/stat`);
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
