import type { Host, Target } from '../../router/target.ts';
import type { HostApp } from './app.ts';
import type { FunctionSlot } from './function-slot.ts';
import type { Peer } from './peer.ts';
import type { Transaction } from './transaction.ts';

/** A request that is well-formed and no static file answers. */
export interface Arrival {
  tx: Transaction;
  app: HostApp;
  target: Target;
  host: Host;
  requestId: string;
  peer: Peer;
  /** Development: failures of the handler are told with their stack. */
  dev: boolean;
}

/** Who answers it. */
export interface Route {
  slot: FunctionSlot;
  /** Null: the route has none. */
  params: Record<string, unknown> | null;
}
