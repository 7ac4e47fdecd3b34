import { FnrunError } from '../contract/errors.ts';
import type { BootCheckEntry } from '../contract/ipc.ts';
import type { Generation } from './generation.ts';

/** What a generation is warmed up after. */
export interface WarmUpOptions {
  old: Generation | null;
  /** Whether workers of `old` are carried over. */
  carry: boolean;
  /** Workers wanted by function, beside those that `old` has: what another process has ready. Null: none is waited for. */
  warm?: Readonly<Record<string, number>> | null;
  /** Whether a function that does not load is an error; else only its own requests fail. @default true */
  strict?: boolean;
}

/**
 * Starts as many workers as the old release has ready, but for those that will be carried
 * over, and waits until they are. Throws `FN_LOAD_FAILED` when one does not load.
 */
export async function warmUp(next: Generation, { old, carry, warm = {}, strict = true }: WarmUpOptions): Promise<void> {
  const started: Promise<BootCheckEntry[]>[] = [];
  for (const fn of next.manifest.functions) {
    const before = old?.slots.get(fn.name);
    const slot = next.slotOf(fn);
    const carried = carry && old !== null && next.sameCode(fn, old) ? (before?.carriable ?? 0) : 0;
    const wanted = Math.max(slot.settings.minWorkers, before?.readyCount ?? 0, warm?.[fn.name] ?? 0);
    if (wanted > carried) started.push(slot.warm(wanted - carried));
  }
  // After a crash, requests wait: each goes to the first worker of its function that is there.
  if (warm === null) return;
  const entries = (await Promise.all(started)).flat();
  const failed = entries.find((entry) => entry.error !== null);
  if (failed === undefined || !strict) return;
  retireAll(next);
  throw new FnrunError('FN_LOAD_FAILED', `The function ${failed.name} did not load: ${failed.error!.message}`);
}

/** Ends the workers of a generation that will not go live. */
export function retireAll(generation: Generation): void {
  for (const slot of generation.slots.values()) slot.retire();
}

/** Moves the workers of functions that are the same in both releases. Returns their number. */
export function carryOver(next: Generation, old: Generation): number {
  let carried = 0;
  for (const fn of next.manifest.functions) {
    const before = old.slots.get(fn.name);
    if (before !== undefined && next.sameCode(fn, old)) carried += next.slotOf(fn).adopt(before);
  }
  return carried;
}

/** Old workers finish what they have; what waits for one goes to the new release. */
export function drainInto(old: Generation, next: Generation): void {
  for (const [name, slot] of old.slots) slot.retire(next.slots.get(name) ?? null);
}
