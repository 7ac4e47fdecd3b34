/** One backup of a schema in its app's folder. */
export interface BackupName {
  /** `20270131T015500Z-fnrun_shop.sql.gz` */
  file: string;
  /** When it was begun. */
  at: Date;
  /** What it is of. */
  of: string;
}

/** Of the schema `of`, or with `.tar.gz` of the server's own files. */
export function backupFile(of: string, { at, suffix = 'sql.gz' }: { at: Date; suffix?: string }): string {
  const stamp = at
    .toISOString()
    .replaceAll(/[-:]/g, '')
    .replace(/\.\d+Z$/, 'Z');
  return `${stamp}-${of}.${suffix}`;
}

/** Reads such a name; null: it is none. */
export function parseBackupFile(file: string): BackupName | null {
  const found = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([a-z0-9_-]+)\.(?:sql|tar)\.gz$/i.exec(file);
  if (found === null) return null;
  const [, year, month, day, hour, minute, second, of = ''] = found;
  const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at.getTime()) ? null : { file, at, of };
}

/** Those that may go: older than `keepDays`, and not the last of what they are of. */
export function outdated(
  backups: readonly BackupName[],
  { now, keepDays }: { now: Date; keepDays: number },
): BackupName[] {
  const oldest = now.getTime() - keepDays * 86_400_000;
  const last = new Map<string, BackupName>();
  for (const each of backups) {
    const known = last.get(each.of);
    if (known === undefined || known.at < each.at) last.set(each.of, each);
  }
  return backups.filter((each) => each.at.getTime() < oldest && last.get(each.of) !== each);
}
