import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { backupLimits } from '../../runtime/contract/limits.ts';
import type { DatabaseAdmin } from '../database/own/admin.ts';
import { appOfSchema } from '../database/own/names.ts';
import { addBackup, type Backup, listBackups, prune, requireSpace } from './backup-folder.ts';
import { dumpSchema } from './dump.ts';
import type { ClientPrograms } from './dump-source.ts';
import { writeServerFiles } from './server-files.ts';

/** Where a server keeps its backups, unless `--dir` says otherwise. */
export const backupsFolder = '/var/backups/fnrun';
/** The folder of the server's own files; no app can be called so. */
export const serverFolder = '_server';
/** What of a provisioned server is not in its home. */
const serverFiles = ['/etc/fnrun/server.json'];

export interface NightlyOptions {
  dir: string;
  home: string;
  /** Null: there is no database server. */
  database: { admin: DatabaseAdmin; programs: ClientPrograms } | null;
  keepDays: number;
  now: () => Date;
  tell: (line: string) => void;
  signal: AbortSignal;
}

/**
 * Backs up the schema of every app, of those that are removed as well, and the server's own files, one after the other, then removes
 * what is too old. Resolves to what failed; each failure leaves the backups that were there, and the others are made.
 */
export async function backUpAll(options: NightlyOptions): Promise<FnrunError[]> {
  const { dir, database, signal } = options;
  // Only those who may read all data anyway; the group is the server's, for restores.
  await mkdir(dir, { recursive: true, mode: 0o750 });
  const failures: FnrunError[] = [];
  const attempt = async (of: string, work: () => Promise<void>): Promise<void> => {
    if (signal.aborted) return;
    try {
      await work();
    } catch (error) {
      const known = error instanceof FnrunError ? error : failed(of, error);
      failures.push(known);
    }
  };
  for (const schema of database === null ? [] : await schemasIn(database.admin)) {
    await attempt(schema.name, async () => await backUpSchema(options, schema));
  }
  await attempt('server', async () => await backUpServer(options));
  return failures;
}

function failed(of: string, cause: unknown): FnrunError {
  return new FnrunError('FN_BACKUP', `${of} could not be backed up: ${(cause as Error).message}`, {
    cause,
    hint: 'earlier backups are as they were',
  });
}

interface Schema {
  name: string;
  app: string;
  bytes: number;
}

async function schemasIn(admin: DatabaseAdmin): Promise<Schema[]> {
  const sql = `SELECT s.schema_name AS name, COALESCE(SUM(t.data_length), 0) AS bytes FROM information_schema.schemata s
    LEFT JOIN information_schema.tables t ON t.table_schema = s.schema_name
    WHERE s.schema_name LIKE 'fnrun\\_%' GROUP BY s.schema_name ORDER BY s.schema_name`;
  return (await admin.run(sql)).flatMap((row) => {
    const name = String(row['name']);
    const app = appOfSchema(name);
    return app === null ? [] : [{ name, app, bytes: Number(row['bytes']) }];
  });
}

async function backUpSchema(options: NightlyOptions, { name, app, bytes }: Schema): Promise<void> {
  const { admin, programs } = options.database!;
  const address = { socketPath: admin.socketPath, user: 'root', database: name };
  await backUp(options, {
    folder: app,
    of: name,
    firstBytes: bytes * backupLimits.firstShare,
    write: async (to) => await dumpSchema({ address, programs, to, signal: options.signal }),
  });
}

async function backUpServer(options: NightlyOptions): Promise<void> {
  const { home, signal, dir } = options;
  await backUp(options, {
    folder: serverFolder,
    of: 'server',
    suffix: 'tar.gz',
    firstBytes: 0,
    write: async (to) => await writeServerFiles({ home, dir: join(dir, serverFolder), extra: serverFiles, to, signal }),
  });
}

interface OneBackup {
  folder: string;
  of: string;
  suffix?: 'sql.gz' | 'tar.gz';
  /** What the first one may take. */
  firstBytes: number;
  write: Parameters<typeof addBackup>[0]['write'];
}

async function backUp({ dir, now, keepDays, tell }: NightlyOptions, one: OneBackup): Promise<void> {
  const { folder, of, suffix = 'sql.gz', firstBytes, write } = one;
  const path = join(dir, folder);
  await mkdir(path, { recursive: true, mode: 0o750 });
  const last = (await listBackups(path)).findLast((each) => each.of === of);
  const expected = last === undefined ? firstBytes : last.bytes * backupLimits.growth;
  await requireSpace(path, { of, expected });
  const startedMs = performance.now();
  const backup = await addBackup({ dir: path, of, at: now(), suffix, write });
  tell(describe(backup, performance.now() - startedMs));
  const removed = await prune(path, { now: now(), keepDays });
  if (removed.length > 0) tell(`${of}: removed ${removed.length} older than ${keepDays} days`);
}

function describe({ path, bytes }: Backup, tookMs: number): string {
  return `${path}: ${(bytes / 1e6).toFixed(bytes < 1e6 ? 3 : 1)} MB in ${(tookMs / 1000).toFixed(1)} s`;
}
