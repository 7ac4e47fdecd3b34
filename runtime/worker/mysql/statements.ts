import { databaseLimits } from '../../contract/limits.ts';

/**
 * Prepared statements that one connection may keep. A server has 16,382 for all its connections unless told otherwise,
 * and refuses the next one: so all connections that it takes, at least as many as ours, share four fifths of them.
 */
export function statementCap(maxConnections: number): number {
  const { serverStatements, serverConnections, statementShare, statements, statementsMin } = databaseLimits;
  const share = Math.floor((statementShare * serverStatements) / Math.max(serverConnections, maxConnections));
  return Math.max(statementsMin, Math.min(statements, share));
}
