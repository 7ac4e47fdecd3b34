import type { Thread } from '../pool/thread-pool.ts';
import type { FunctionSlot } from './function-slot.ts';
import type { WorkerLogLine } from './invocation.ts';
import type { QueueTotal } from './wait-queue.ts';

/** What a slot needs from its app. */
export interface SlotServices {
  isDev(): boolean;
  /** A thread, or null: then the slot is pumped when one can be had. */
  takeThread(slot: FunctionSlot): Thread | null;
  /** Whether one more thread of the slot that computes would find a core for it. */
  hasCore(slot: FunctionSlot): boolean;
  /** Whether one more worker may load for a function that has some; one that replaces another always may. */
  mayLoad(): boolean;
  /** An invocation starts: `measure` is called from time to time until none is in flight. */
  onWork(): void;
  /** A worker became idle, or is gone. */
  onIdle(): void;
  onLog(slot: FunctionSlot, line: WorkerLogLine): void;
  note(slot: FunctionSlot, level: 'info' | 'warn' | 'error', message: string): void;
  readonly waiting: QueueTotal;
}
