import mysql from 'mysql2';
import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Invocation } from '../invocation.ts';

/**
 * What fnrun uses of mysql2 beyond its types. Tests run it against a real server, so that a version in which
 * one of these is missing is noticed.
 */

/** Marks a command that fnrun sends for itself. */
export const ownCommand = Symbol('own');

/** What looks after the commands of a connection. */
export interface Watcher {
  ended(command: Command): void;
}

/** A command of the protocol on its way. */
export interface Command extends EventEmitter {
  sql?: string;
  onResult?: ((this: Command, error: unknown, ...rest: unknown[]) => void) | undefined;
  /** Rows of each result set, or what the server said of a statement without rows. */
  _rows?: unknown[];
  /** Ours: who is told of its end; on whose behalf it is counted (undefined: it is not counted). */
  watcher?: Watcher | null;
  countsFor?: Invocation | typeof ownCommand | null | undefined;
}

/** A packet of the server's. */
export interface Packet {
  peekByte(): number;
  isEOF(): boolean;
  eofStatusFlags(): number;
}

/** The head of a result without rows. */
export interface ResultHeader {
  affectedRows: number;
  insertId: number | string;
  serverStatus?: number;
  stateChanges?: { schema: string | null };
}

/** A connection of a pool, callback style. */
export interface RawConnection extends EventEmitter {
  config: { database?: string; connectTimeout: number; ssl?: object | false; compress?: boolean };
  stream: Duplex & { closed: boolean };
  threadId: number | null;
  lastActiveTime: number;
  _pool: unknown;
  _released: boolean;
  _closing?: boolean;
  _fatalError: Error | null;
  /** The command whose results are being read. */
  _command: Command | null;
  _notifyError(error: Error & { fatal?: boolean }): void;
  addCommand(command: Command): Command;
  handlePacket(packet?: Packet): void;
  query(sql: unknown, values?: unknown, callback?: unknown): Command;
  execute(sql: unknown, values?: unknown, callback?: unknown): Command;
  ping(callback: (error?: unknown) => void): Command;
  reset(callback: (error: unknown) => void): Command;
  connect(callback: (error: unknown) => void): void;
  /** Bytes to the server. */
  write(bytes: Buffer): void;
  release(): void;
  destroy(): void;
  close(): void;
}

/** A pool, callback style. */
export interface RawPool extends EventEmitter {
  config: { connectionConfig: object };
  _createConnectionConfig(): object;
  query(sql: unknown, values?: unknown, callback?: unknown): Command;
  execute(sql: unknown, values?: unknown, callback?: unknown): void;
  promise(): unknown;
}

export const RawPoolConnection = mysql.PoolConnection as unknown as new (
  pool: RawPool,
  options: { config: object },
) => RawConnection;

export const RawPool = (mysql as unknown as { Pool: unknown }).Pool as new (options: { config: object }) => RawPool;

/** mysql2's configuration of a pool, made from its options. */
export function poolConfig(options: mysql.PoolOptions): object {
  return (mysql.createPool(options) as unknown as { config: object }).config;
}
