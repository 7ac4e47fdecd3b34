import type { ConnectionShares, ShareHolder } from './connection-shares.ts';
import type { HostProcess } from './host-process.ts';

/** Has `host` open no more database connections than its part in `shares`. */
export function joinShares(
  host: HostProcess,
  { connectionShares, isPreview = false }: { connectionShares: ConnectionShares; isPreview?: boolean },
): void {
  const holder: ShareHolder = {
    // Another release may have been activated in it.
    get budgets() {
      return host.plan.connections;
    },
    get open() {
      return host.connections;
    },
    ended: host.heardOut,
    isPreview,
    async limit(limits, { inherited, deadlineMs }) {
      await host.request({ type: 'connections', limits, inherited }, { deadlineMs });
    },
  };
  connectionShares.add(holder);
}
