import { readdirSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { appLimits } from '../contract/limits.ts';
import { statOf } from './process-figures.ts';

/** A process by its id and, because ids are used again, the time of its start in ticks since boot. */
export type ProcessIds = ReadonlyMap<number, string>;

/** The processes of the machine, and whose children they are. */
export interface ProcessTable {
  /** When the look at them began, in milliseconds of `performance.now()`. */
  readonly at: number;
  readonly all: Map<number, { session: number; started: string }>;
  readonly children: Map<number, number[]>;
}

/** All of them as they are now. Takes about 15 µs a process, in which nothing else is done. */
export function readProcesses(): ProcessTable {
  const table: ProcessTable = { at: performance.now(), all: new Map(), children: new Map() };
  for (const pid of allProcesses()) enter(table, pid);
  return table;
}

let last: { at: number; table: Promise<ProcessTable> } | null = null;

/**
 * The same, at most `maxAgeMs` old: read a few at a time, so that nobody waits for it, and once for all
 * apps that ask at about the same time.
 */
export function recentProcesses({ maxAgeMs }: { maxAgeMs: number }): Promise<ProcessTable> {
  const now = performance.now();
  if (last === null || now - last.at >= maxAgeMs) last = { at: now, table: readSlowly() };
  return last.table;
}

/**
 * Processes of `table` that come from `pid`, itself left out: its children's children too, and what has lost
 * its parent but is in the session that `pid` leads. `known`: descendants seen before; they and their children
 * count also when orphaned.
 */
export function descendantsOf(pid: number, { table, known }: { table: ProcessTable; known: ProcessIds }): ProcessIds {
  const { all, children } = table;
  const pending = [...(children.get(pid) ?? [])];
  for (const [other, { session, started }] of all) {
    if (session === pid || known.get(other) === started) pending.push(other);
  }
  const found = new Map<number, string>();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const entry = all.get(next);
    if (next === pid || entry === undefined || found.has(next)) continue;
    found.set(next, entry.started);
    pending.push(...(children.get(next) ?? []));
  }
  return found;
}

async function readSlowly(): Promise<ProcessTable> {
  const table: ProcessTable = { at: performance.now(), all: new Map(), children: new Map() };
  for (const [index, pid] of allProcesses().entries()) {
    enter(table, pid);
    if ((index + 1) % appLimits.processesPerTurn === 0) await nextTurn();
  }
  return table;
}

function enter(table: ProcessTable, pid: number): void {
  const fields = statOf(pid);
  // A zombie runs nothing.
  if (fields === null || fields[0] === 'Z') return;
  const parent = Number(fields[1]);
  table.all.set(pid, { session: Number(fields[3]), started: fields[19] ?? '' });
  const siblings = table.children.get(parent);
  if (siblings === undefined) table.children.set(parent, [pid]);
  else siblings.push(pid);
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
