import { databaseLimits } from '../../contract/limits.ts';

/** What a statement's text tells of its effect on the session it runs in. */
export interface Judgement {
  /** It may leave something behind that the server does not report. */
  leaves: boolean;
  /** It may show what an earlier statement of the session left: LAST_INSERT_ID() and the like. */
  shows: boolean;
}

const plain = /^\s*\(*\s*(?:select|insert|update|delete|replace|with|savepoint|release\s+savepoint)\b/i;
/** Whether a transaction is open after them is told by the server. */
const transaction = /^\s*(?:begin(?:\s+work)?|start\s+transaction|commit|rollback(?:\s+to\b.*)?)\s*;?\s*$/i;
/** Variables, comments that the server may execute, a second statement, and locks. */
const suspicious =
  /@|\/\*|;\s*\S|\b(?:get_lock|release_lock|release_all_locks|is_used_lock|nextval|next\s+value)\b|last_insert_id\s*\(\s*[^\s)]/i;
const showing = /\b(?:last_insert_id|found_rows|row_count|lastval|previous\s+value|identity|warnings|errors)\b/i;

const judged = new Map<string, Judgement>();

/** Judges a statement as it stands before its values are put in: those are escaped and change nothing. */
export function judge(sql: string): Judgement {
  const known = judged.get(sql);
  if (known !== undefined) return known;
  const leaves = !(plain.test(sql) || transaction.test(sql)) || suspicious.test(sql);
  const judgement = { leaves, shows: showing.test(sql) };
  if (judged.size >= databaseLimits.judged) judged.clear();
  judged.set(sql, judgement);
  return judgement;
}

/** Whether a value is SQL by itself, as `mysql.raw(…)` makes it. */
export function isRaw(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (typeof (value as { toSqlString?: unknown }).toSqlString === 'function') return true;
  if (value instanceof Date || Buffer.isBuffer(value)) return false;
  return Object.values(value).some(isRaw);
}

/** Bits of the status that the server sends with every result. */
export const serverStatus = { inTransaction: 1, autocommit: 2, stateChanged: 1 << 14 } as const;
