import { databaseLimits } from '../../contract/limits.ts';
import type { PooledConnection } from './connection.ts';

/** Calls `done` when the server, too, has closed a connection that was ended here; without an answer of it, after `closeMs`. */
export function onServerClosed({ stream }: Pick<PooledConnection, 'stream'>, done: () => void): void {
  if (stream.closed) {
    done();
    return;
  }
  const timer = setTimeout(() => stream.destroy(), databaseLimits.closeMs);
  stream.once('close', () => {
    clearTimeout(timer);
    done();
  });
}
