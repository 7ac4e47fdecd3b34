import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { FnrunError } from '../runtime/contract/errors.ts';

/** A home that is held. */
export interface HomeLock {
  release(): void;
}

// sqlite3.h: the file is locked by another connection.
const sqliteBusy = 5;

// A database that nobody refers to is collected, and its lock dropped with it.
const held = new Set<DatabaseSync>();

/**
 * Takes the home for this process. Throws FN_ALREADY_RUNNING when another has it.
 *
 * The lock is SQLite's own on an empty database, since Node has no flock: the kernel drops it
 * with the process, however that ends, so there is no stale lock and no file to unlink.
 */
export function lockHome(file: string, { home }: { home: string }): HomeLock {
  const db = new DatabaseSync(file);
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    db.close();
    if ((cause as { errcode?: number }).errcode !== sqliteBusy) throw cause;
    const pid = readPid(`${file}.pid`);
    throw new FnrunError(
      'FN_ALREADY_RUNNING',
      `Another fnrun server${pid === null ? '' : ` (process ${pid})`} has the home ${home}`,
      {
        cause,
        hint: 'stop it first, or name another home with --home',
      },
    );
  }
  // Only for the message above: the lock itself does not depend on it.
  writeFileSync(`${file}.pid`, `${process.pid}\n`);
  held.add(db);
  const release = (): void => {
    if (held.delete(db)) db.close();
  };
  return { release };
}

function readPid(file: string): number | null {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10) || null;
  } catch {
    return null;
  }
}
