import { databaseServerLimits as limits } from '../../runtime/contract/limits.ts';

/** A connection of mysql2, with promises or with callbacks. */
interface Leavable {
  end(callback?: () => void): unknown;
  destroy(): void;
}

/**
 * Ends a connection with a goodbye: a server counts one that ends without as aborted, and logs it. Nobody has to wait for that;
 * one with a statement under way, or whose server does not answer, ends without after `leaveMs`.
 */
export function leave(connection: Leavable): void {
  const timer = setTimeout(() => connection.destroy(), limits.leaveMs);
  timer.unref();
  const ended: unknown = connection.end(() => undefined);
  if (ended instanceof Promise) ended.catch(() => connection.destroy());
}
