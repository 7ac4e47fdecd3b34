import type { ErrorCode } from '../contract/errors.ts';

/** Set on errors of `fnrun/mysql`: what they come to when a handler does not catch them. */
export const failureOf: unique symbol = Symbol.for('fnrun.failure') as never;

export interface DatabaseFailure {
  [failureOf]: ErrorCode;
}

/** Causes that are looked through: query builders wrap errors of their drivers. */
const causesMax = 5;

/** The code of a database's failure behind `error`; null when there is none. */
export function databaseFailure(error: unknown): ErrorCode | null {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < causesMax; depth++) {
    if (failureOf in at) return (at as DatabaseFailure)[failureOf];
    at = (at as { cause?: unknown }).cause;
  }
  return null;
}
