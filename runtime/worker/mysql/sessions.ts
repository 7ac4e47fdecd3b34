import { databaseLimits } from '../../contract/limits.ts';

/** What a statement's text tells of its effect on the session it runs in. */
export interface Judgement {
  /** It may leave something behind that the server does not report. */
  leaves: boolean;
  /** It may show what an earlier statement of the session left: LAST_INSERT_ID() and the like. */
  shows: boolean;
  /** It may show what LAST_INSERT_ID() tells, by itself or by way of a routine. */
  showsId: boolean;
  /** It may set what LAST_INSERT_ID() tells. */
  makesId: boolean;
  /** It chooses a default database. */
  uses: boolean;
}

const plain = /^\s*\(*\s*(?:select|insert|update|delete|replace|with|savepoint|release\s+savepoint)\b/i;
/** Whether a transaction is open after them is told by the server. */
const transaction = /^\s*(?:begin(?:\s+work)?|start\s+transaction|commit|rollback(?:\s+to\b.*)?)\s*;?\s*$/i;
/** Variables, comments that the server may execute, a second statement, and locks. */
const suspicious =
  /@|\/\*|;\s*\S|\b(?:get_lock|release_lock|release_all_locks|is_used_lock|nextval|next\s+value)\b|last_insert_id\s*\(\s*[^\s)]/i;
const showing = /\b(?:last_insert_id|found_rows|row_count|lastval|previous\s+value|identity|warnings|errors)\b/i;

const idShowing = /\b(?:last_insert_id|identity|lastval|call|execute)\b/i;
const idMaking = /^\s*(?:insert|replace)\b/i;
/** The table of an INSERT may have its columns in parentheses behind it. */
const insertInto = /^\s*(?:insert|replace)\b[^(]*\(/i;
const called = /([\w$`]+)\s*\(/g;
/** What may stand before a parenthesis and is no routine: words of SQL, and functions of the server's that are common. */
const known = new Set(
  (
    'all and any as between by case distinct div else exists from having if in index interval into is join key like limit mod not on ' +
    'or over partition primary regexp select set some then to union unique using values value when where window with xor ' +
    'bigint binary char datetime decimal double float int integer numeric signed time timestamp unsigned varbinary varchar ' +
    'abs adddate avg bit_and bit_or bit_xor cast ceil ceiling char_length coalesce concat concat_ws convert count crc32 ' +
    'curdate current_date current_timestamp curtime date date_add date_format date_sub datediff day dayofmonth dayofweek ' +
    'dayofyear dense_rank elt exp extract field find_in_set first_value floor format from_unixtime greatest group_concat hex ' +
    'hour ifnull inet6_aton inet6_ntoa inet_aton inet_ntoa insert instr isnull json_array json_arrayagg json_contains json_extract ' +
    'json_length json_merge_patch json_object json_objectagg json_quote json_remove json_search json_set json_unquote ' +
    'json_valid json_value lag last_day last_value lcase lead least left length ln localtime localtimestamp locate log log10 log2 ' +
    'lower lpad ltrim match max md5 microsecond mid min minute month monthname now ntile nullif pow power quarter rand rank ' +
    'regexp_replace repeat replace reverse right round row row_number rpad rtrim second sha1 sha2 sign sleep soundex sqrt ' +
    'st_distance_sphere std stddev str_to_date subdate substr substring substring_index sum sysdate timediff time_format ' +
    'timestampadd timestampdiff to_days trim truncate ucase unhex unix_timestamp upper utc_date utc_time utc_timestamp uuid ' +
    'var_pop variance version week weekday year'
  ).split(' '),
);

const judged = new Map<string, Judgement>();

/** Judges a statement as it stands before its values are put in: those are escaped and change nothing. */
export function judge(sql: string): Judgement {
  const known = judged.get(sql);
  if (known !== undefined) return known;
  const leaves = !(plain.test(sql) || transaction.test(sql)) || suspicious.test(sql);
  const judgement = {
    leaves,
    shows: showing.test(sql),
    showsId: idShowing.test(sql) || callsRoutine(sql),
    makesId: idMaking.test(sql),
    uses: /^\s*use\b/i.test(sql),
  };
  if (judged.size >= databaseLimits.judged) judged.clear();
  judged.set(sql, judgement);
  return judgement;
}

/** Whether it has a name before a parenthesis that may be a routine's: what that reads is not in the text. */
function callsRoutine(sql: string): boolean {
  const text = sql.replace(insertInto, '(');
  return [...text.matchAll(called)].some(([, name]) => !known.has(name!.toLowerCase()));
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
