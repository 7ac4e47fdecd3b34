import type { ServerVersion } from '../engine.ts';

/** SHOW GLOBAL VARIABLES or SHOW GLOBAL STATUS, by lower-case name. */
export type Values = Readonly<Record<string, string>>;

/** An account of the server. */
export interface Account {
  user: string;
  host: string;
  /** No password and no other proof is asked for. */
  open: boolean;
  /** May read every schema. */
  everywhere: boolean;
}

/** What was read of a running server: all that the checks look at. */
export interface ServerReading {
  server: ServerVersion;
  variables: Values;
  /** Two samples of the status, and the time between them. */
  before: Values;
  after: Values;
  sampleSeconds: number;
  /** How long the server takes to answer, on a connection that is open: a median. */
  pingMs: number;
  /** Null when the user may not see them. */
  accounts: readonly Account[] | null;
  /** Data and indexes in mebibytes; null when not readable. */
  dataMb: number | null;
}

/** A status counter since the server's start; 0 when it has none. */
export function total({ after }: ServerReading, name: string): number {
  return numberOf(after, name);
}

/** How much a counter grew in a second of the sample. */
export function rate({ before, after, sampleSeconds }: ServerReading, name: string): number {
  return Math.max(0, numberOf(after, name) - numberOf(before, name)) / sampleSeconds;
}

/** A number of the variables; 0 when it has none. */
export function variable({ variables }: ServerReading, name: string): number {
  return numberOf(variables, name);
}

/** Whether a variable is on. */
export function isOn({ variables }: Pick<ServerReading, 'variables'>, name: string): boolean {
  return /^(ON|1|YES|TRUE)$/i.test(variables[name] ?? '');
}

export function uptimeSeconds(reading: ServerReading): number {
  return total(reading, 'uptime');
}

function numberOf(values: Values, name: string): number {
  const value = Number(values[name]);
  return Number.isFinite(value) ? value : 0;
}
