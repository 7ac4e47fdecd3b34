import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import type { BuildProblem, BuildSuccess } from '../../../builder/build.ts';
import { migrate } from '../../../deploy/migrations/migrate.ts';
import { MigrationError } from '../../../deploy/migrations/migration-error.ts';
import { readMigrations } from '../../../deploy/migrations/read.ts';
import type { MigrationFile } from '../../../deploy/migrations/read.ts';
import { resolveMigrations } from '../../../runtime/contract/database.ts';
import { parseDatabaseUrl } from '../../../runtime/contract/database-url.ts';
import type { DatabaseAddress } from '../../../runtime/contract/database-url.ts';
import type { Env } from '../../../runtime/contract/env.ts';
import { formatDuration } from '../../table.ts';
import { findPrograms } from './programs.ts';
import { openPrivateServer } from './private-server.ts';
import type { PrivateServer } from './private-server.ts';

/** What dev has to do with databases. */
export interface DevDatabase {
  /** The environment of a build: with a DATABASE_URL of dev's own when it needs one and has none. */
  envFor(env: Env, built: BuildSuccess): Promise<Env>;
  /** Applies what of migrations/ the database has not had; resolves with what is wrong. */
  migrate(env: Env, built: BuildSuccess): Promise<BuildProblem[]>;
  close(): Promise<void>;
}

export interface DevDatabaseOptions {
  /** The app's root. */
  dir: string;
  app: string;
  /** Where programs are looked for. */
  folders: readonly string[];
  /** Ends what is being applied. */
  signal: AbortSignal;
  out: (line: string) => void;
  err: (line: string) => void;
}

const shownFolder = '.fnrun/database';

export function createDevDatabase(options: DevDatabaseOptions): DevDatabase {
  const own = createOwn(options);
  let migrated = '';
  return {
    envFor: async (env, built) => {
      if (env['DATABASE_URL'] !== undefined || !(await usesDatabase(options.dir, built))) return env;
      const url = await own.url();
      return url === null ? env : { ...env, DATABASE_URL: url };
    },
    migrate: async (env, built) => {
      const settings = resolveMigrations(built.manifest.database);
      const url = env['DATABASE_URL'];
      if (settings === null || url === undefined) return [];
      try {
        const files = await readMigrations(options.dir);
        const state = JSON.stringify([url, files.map(({ name, checksum }) => [name, checksum])]);
        if (files.length === 0 || state === migrated) return [];
        const address = addressOf(env);
        if (isElsewhere(address)) {
          options.err(
            'migrations are not applied: the server of DATABASE_URL is not on this machine; a push applies them',
          );
        } else await apply(files, { ...options, address, settings });
        migrated = state;
        return [];
      } catch (error) {
        if (!(error instanceof MigrationError)) throw error;
        return [await problemOf(error, { ...options, isOwn: own.isOwn(url) })];
      }
    },
    close: () => own.close(),
  };
}

/** The server of dev's own, started when it is first asked for. */
function createOwn({ dir, folders, out, err }: DevDatabaseOptions) {
  let opening: Promise<string | null> | null = null;
  let server: PrivateServer | null = null;
  let closing = false;

  const open = async (): Promise<string | null> => {
    const startedMs = performance.now();
    const programs = await findPrograms(folders).catch(() => null);
    if (programs === null) {
      err(
        'database: no DATABASE_URL in .env, and no MariaDB or MySQL installed to start one: apt-get install mariadb-server, or brew install mariadb',
      );
      return null;
    }
    try {
      const opened = await openPrivateServer(join(dir, shownFolder), programs);
      server = opened;
      void opened.ended.then(() => lost(opened));
      const took = formatDuration(performance.now() - startedMs);
      out(`database ${opened.version} of this app's own, kept in ${shownFolder} (${took})`);
      return opened.url;
    } catch (error) {
      err(`database: it does not start: ${(error as Error).message.trim()} (see ${shownFolder}/log)`);
      return null;
    }
  };
  // That of another dev in the same folder has gone with it, or it has crashed.
  const lost = (which: PrivateServer): void => {
    if (closing || server !== which) return;
    server = null;
    opening = which.stop().then(open);
  };
  return {
    url: () => (opening ??= open()),
    isOwn: (url: string) => server?.url === url,
    close: async () => {
      closing = true;
      await opening;
      await server?.stop();
    },
  };
}

async function usesDatabase(dir: string, built: BuildSuccess): Promise<boolean> {
  if (built.manifest.database !== undefined || built.provided.includes('fnrun/mysql')) return true;
  const files = await readMigrations(dir).catch(() => []);
  return files.length > 0;
}

async function apply(
  files: readonly MigrationFile[],
  options: Pick<DevDatabaseOptions, 'app' | 'signal' | 'out' | 'err'> & {
    address: DatabaseAddress;
    settings: NonNullable<ReturnType<typeof resolveMigrations>>;
  },
): Promise<void> {
  const { out, err } = options;
  const tell = (label: string, text: string): void => (label === 'warning' ? err : out)(`${label} ${text}`);
  await migrate({ ...options, files, commit: '', tell });
}

function addressOf({ DATABASE_URL: url = '', DATABASE_CA: ca }: Env): DatabaseAddress {
  try {
    return parseDatabaseUrl(url, { name: 'DATABASE_URL', ca });
  } catch (error) {
    throw new MigrationError((error as Error).message, { hint: 'mend it in .env' });
  }
}

/** A file that is saved half-written must not reach a database that others have too. */
function isElsewhere({ socketPath, host }: DatabaseAddress): boolean {
  return socketPath === undefined && host !== '::1' && host?.startsWith('127.') !== true;
}

async function problemOf(
  error: MigrationError,
  { dir, isOwn }: { dir: string; isOwn: boolean },
): Promise<BuildProblem> {
  const { file, line, message, hint } = error;
  const text = file === null ? '' : await textOf(join(dir, file));
  const anew = isOwn ? `; or, to begin with an empty database, end dev and remove ${shownFolder}` : '';
  return {
    code: 'FN_MIGRATION',
    message,
    file,
    line,
    column: line === null ? null : 1,
    lineText: line === null ? null : (text.split('\n')[line - 1] ?? null),
    length: null,
    hint: `${hint ?? ''}${anew}`,
  };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
