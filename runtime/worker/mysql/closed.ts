import { databaseLimits } from '../../contract/limits.ts';
import type { PooledConnection } from './connection.ts';

/**
 * Calls `done` when the server, too, has closed a connection that was ended here, and has had time to count it off; without an
 * answer of it, after `closeMs`. It closes before it counts, and a busy one is made to wait in between: so as long as
 * the close itself took is waited twice more.
 */
export function onServerClosed({ stream }: Pick<PooledConnection, 'stream'>, done: () => void): void {
  if (stream.closed) {
    done();
    return;
  }
  const askedAt = performance.now();
  const timer = setTimeout(() => stream.destroy(), databaseLimits.closeMs);
  stream.once('close', () => {
    clearTimeout(timer);
    const took = performance.now() - askedAt;
    if (took < databaseLimits.closeQuickMs) done();
    else setTimeout(done, Math.min(2 * took, databaseLimits.closeSettleMs));
  });
}
