import type { BootCheckEntry } from '../contract/ipc.ts';

/** The entry of a function that did not load for a reason outside its own code's reach. */
export function loadFailure(name: string, code: string, message: string): BootCheckEntry {
  const error = { code, message, stack: null, file: null, line: null, column: null };
  return { name, reused: false, ms: 0, inspection: null, error };
}
