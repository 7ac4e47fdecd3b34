import type { Invocation } from '../invocation.ts';
import type { PooledConnection } from './connection.ts';

/** Somebody who waits for a connection. */
export interface Waiter {
  callback: (error: unknown, connection?: PooledConnection) => void;
  owner: Invocation | null;
  /** Where it was asked for; null for a single statement, which gives it back by itself. */
  takenAt: string | null;
  since: number;
  deadlineAt: number;
}
