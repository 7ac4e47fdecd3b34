import { databaseLimits } from '../../runtime/contract/limits.ts';

/** What one app may open on a server. */
export interface AppBudget {
  app: string;
  connections: number;
}

/** A server, and all apps that use it. */
export interface BudgetQuestion {
  /** As it is shown: without user and password. */
  server: string;
  /** What the server takes: its `max_connections`. */
  maxConnections: number;
  budgets: readonly AppBudget[];
}

/** Whether the server takes all that its apps may open, with the sum as text. */
export interface BudgetAnswer {
  fits: boolean;
  /** `blog 60 + shop 20 = 80 of 141 (151 less 10 for the operator)` */
  sum: string;
}

/** Adds up what apps may open on one server, and compares it with what the server takes. */
export function checkBudget({ maxConnections, budgets }: BudgetQuestion): BudgetAnswer {
  const { serverReserved } = databaseLimits;
  const room = Math.max(0, maxConnections - serverReserved);
  const total = budgets.reduce((sum, { connections }) => sum + connections, 0);
  const parts = budgets.map(({ app, connections }) => `${app} ${connections}`);
  const added = parts.length === 1 ? parts[0]! : `${parts.join(' + ')} = ${total}`;
  return {
    fits: total <= room,
    sum: `${added} of ${room} (${maxConnections} less ${serverReserved} for the operator)`,
  };
}
