import type { AsyncLocalStorage } from 'node:async_hooks';
import type { PoolOptions } from 'mysql2';
import type { DatabaseAddress } from '../../contract/database-url.ts';
import type { DatabaseSettings } from '../../contract/database.ts';
import type { Invocation } from '../invocation.ts';
import type { PermitsOptions } from './permits.ts';
import { statementCap } from './statements.ts';

/** What a pool is made of. */
export interface FunctionPoolOptions {
  name: string;
  settings: DatabaseSettings;
  /** Where it is; asked when it is used first. Throws when the app does not say. */
  address: () => DatabaseAddress;
  /** Shown in the server's list of connections. */
  program: string;
  invocations: AsyncLocalStorage<Invocation>;
  log: (level: 'warn' | 'error', message: string, extra?: { requestId?: string | undefined }) => void;
  send: PermitsOptions['send'];
  /** Where the handler's own code stands in a stack. */
  placeOf: (stack: string) => string;
}

/** mysql2's options, where ours differ from its own; docs/mysql.md gives the reasons. */
export function optionsOf({ settings, program }: FunctionPoolOptions): PoolOptions {
  return {
    connectionLimit: settings.maxConnections,
    connectTimeout: settings.connectTimeoutMs,
    connectAttributes: { program_name: program },
    maxPreparedStatements: statementCap(settings.maxConnections),
    charset: 'utf8mb4_unicode_ci',
    timezone: 'Z',
    dateStrings: ['DATE'],
    supportBigNumbers: true,
    flags: ['-LOCAL_FILES'],
  };
}
