import { DatabaseSync } from 'node:sqlite';

/** A file that is held. */
export interface FileLock {
  release(): void;
}

// sqlite3.h: the file is locked by another connection.
const sqliteBusy = 5;

// A database that nobody refers to is collected, and its lock dropped with it.
const held = new Set<DatabaseSync>();

/**
 * Takes `file` for this process; null when another has it.
 *
 * The lock is SQLite's own on an empty database, since Node has no flock: the kernel drops it
 * with the process, however that ends, so there is no stale lock and no file to unlink.
 */
export function holdFile(file: string): FileLock | null {
  const db = new DatabaseSync(file);
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    db.close();
    if ((cause as { errcode?: number }).errcode !== sqliteBusy) throw cause;
    return null;
  }
  held.add(db);
  return {
    release: () => {
      if (held.delete(db)) db.close();
    },
  };
}
