import type { BootCheckEntry } from '../contract/ipc.ts';
import { workerLimits } from '../contract/limits.ts';
import type { ManifestFunction } from '../contract/manifest.ts';
import type { Thread } from '../pool/thread-pool.ts';
import { bootCheck } from './boot-check.ts';
import type { FunctionSlot } from './function-slot.ts';
import type { Generation } from './generation.ts';

/** What a candidate is checked against, and with. */
export interface CheckOptions {
  /** The live generation; null to load every function anew. */
  live: Generation | null;
  takeThread: () => Thread | null;
}

/**
 * The boot check of a candidate, as little of it as tells the same: a function that is live with the
 * same bytes and environment has passed; a changed one that is warm now is loaded in the worker that will
 * serve it; the others share a few threads that end with the check.
 */
export async function checkCandidate(next: Generation, { live, takeThread }: CheckOptions): Promise<BootCheckEntry[]> {
  const reused: BootCheckEntry[] = [];
  const warming: ManifestFunction[] = [];
  const rest: ManifestFunction[] = [];
  for (const fn of next.manifest.functions) {
    const before = live?.slots.get(fn.name);
    const known = live !== null && next.sameCode(fn, live) ? (before?.fn.inspection ?? null) : null;
    if (known !== null) reused.push({ name: fn.name, reused: true, ms: 0, inspection: known, error: null });
    else if ((before?.readyCount ?? 0) > 0 && warming.length < workerLimits.warmInCheck) warming.push(fn);
    else rest.push(fn);
  }
  const warmed = warming.map((fn) => ({ fn, entry: next.slotOf(fn).warm(1) }));
  // A crowded app has no thread for it: such a function is checked like the others.
  const started = warmed.filter(({ fn }) => next.slotOf(fn).workers.size > 0);
  rest.push(...warmed.filter((one) => !started.includes(one)).map(({ fn }) => fn));
  const [served, checked] = await Promise.all([
    Promise.all(started.map(async ({ fn, entry }) => sized((await entry)[0]!, next.slotOf(fn)))),
    bootCheck(next.assignments(rest), { takeThread }),
  ]);
  const entries = new Map([...reused, ...served, ...checked].map((entry) => [entry.name, entry]));
  return next.manifest.functions.map((fn) => entries.get(fn.name)!);
}

/** The heap size is known only now: a worker of another size cannot serve. */
function sized(entry: BootCheckEntry, slot: FunctionSlot): BootCheckEntry {
  const memoryMb = entry.inspection?.settings.memoryMb ?? workerLimits.memoryMb;
  if (memoryMb !== workerLimits.memoryMb) slot.drainWorkers();
  return entry;
}
