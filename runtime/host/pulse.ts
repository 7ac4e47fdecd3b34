import type { HostPulse } from '../contract/ipc.ts';
import { hostLimits } from '../contract/limits.ts';
import type { HostApp } from './app.ts';
import type { HostServer } from './server.ts';

/** Makes what a host answers when it is asked whether it lives. */
export function createPulse({ app, server }: { app: HostApp; server: Pick<HostServer, 'idleMs'> }): () => HostPulse {
  let busyAt = performance.now();
  return () => {
    const functions = app.stats().functions;
    const busy = functions.filter((fn) => fn.inFlight + fn.queued > 0);
    const kept = functions.some((fn) => fn.minWorkers > 0);
    const now = performance.now();
    // `waitUntil` goes on after the connection.
    if (busy.length > 0) busyAt = now;
    const named = busy.toSorted((a, b) => b.inFlight - a.inFlight).slice(0, hostLimits.busyNamed);
    return {
      idleMs: kept ? 0 : Math.floor(Math.min(server.idleMs, now - busyAt)),
      inFlight: Object.fromEntries(named.map((fn) => [fn.name, fn.inFlight])),
      ready: Object.fromEntries(functions.filter((fn) => fn.workers > 0).map((fn) => [fn.name, fn.workers])),
    };
  };
}
