import { databaseLimits, databaseServerLimits as limits } from '../../../runtime/contract/limits.ts';
import type { DatabaseFacts } from '../facts.ts';
import { clamp, type Section } from '../setting.ts';

/** Connections, and what is kept open for them. */
export function connectionsSection(facts: DatabaseFacts): Section {
  const connections = maxConnectionsOf(facts);
  const tables = clamp(connections * 10, { min: 2000, max: 8000 });
  const definitions = clamp(Math.round(tables / 2), { min: 1400, max: 2000 });
  const files = connections + tables * 2 + 500;
  const basis =
    facts.appConnections === null
      ? `the sum of the apps' database.maxConnections is not known (--max-connections): ${limits.connectionsAssumed}`
      : `${facts.appConnections}, for the sum of the apps' database.maxConnections,`;
  return {
    title: 'Connections and tables',
    leftOut: [],
    settings: [
      {
        name: 'max_connections',
        value: connections,
        reason: `${basis} and ${databaseLimits.serverReserved} for people, backups and fnrun itself; each costs memory only while it is open`,
        dynamic: true,
      },
      {
        name: 'table_open_cache',
        value: tables,
        reason: 'a table is open once for each connection that uses it: ten each',
        dynamic: true,
      },
      {
        name: 'table_definition_cache',
        value: definitions,
        reason: "definitions of tables, once each (MariaDB's default of 400 is too few for several apps)",
        dynamic: true,
      },
      {
        name: 'open_files_limit',
        value: files,
        reason:
          'the connections, two files for each open table and some more; what systemd allows the service (LimitNOFILE) must be as much',
        // The server takes more when it may, and less when it must.
        shows: null,
        dynamic: false,
      },
    ],
  };
}

export function maxConnectionsOf({ appConnections }: Pick<DatabaseFacts, 'appConnections'>): number {
  return (appConnections ?? limits.connectionsAssumed) + databaseLimits.serverReserved;
}
