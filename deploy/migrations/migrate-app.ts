import { resolveMigrations } from '../../runtime/contract/database.ts';
import type { MigrationsInput } from '../../runtime/contract/database.ts';
import type { DatabaseAddress } from '../../runtime/contract/database-url.ts';
import { parseDatabaseUrl } from '../../runtime/contract/database-url.ts';
import type { Env } from '../../runtime/contract/env.ts';
import type { Manifest } from '../../runtime/contract/manifest.ts';
import type { Account } from '../account/account.ts';
import { ms, tell } from '../account/lines.ts';
import type { DeployContext, ManagedApp } from '../context.ts';
import { openEnv, type ReleaseName } from '../release-ref.ts';
import { Rejection, whatGoesOn } from '../rejection.ts';
import { isDatabaseOf } from './preview-database.ts';
import { migrate } from './migrate.ts';
import { MigrationError } from './migration-error.ts';
import { readMigrations } from './read.ts';
import type { MigrationFile } from './read.ts';

/** The migrations of a pushed tree. */
export interface AppMigrations {
  files: MigrationFile[];
  settings: Required<MigrationsInput>;
}

/** What is applied, and for which release. */
export interface MigrateAppOptions extends AppMigrations {
  release: ReleaseName;
  commit: string;
  account: Account;
  /** Aborts when the deployment is to end. */
  signal: AbortSignal;
}

/** Reads migrations/ of a tree; null when there are none, or they are not fnrun's. Rejects with a Rejection. */
export async function readAppMigrations(
  app: ManagedApp,
  sourceDir: string,
  { database }: Pick<Manifest, 'database'>,
): Promise<AppMigrations | null> {
  const settings = resolveMigrations(database);
  if (settings === null) return null;
  const files = await readMigrations(sourceDir).catch(rejectionFor(app));
  return files.length === 0 ? null : { files, settings };
}

/** Applies what the app's database has not had yet. Rejects with a Rejection; what was applied by then stays. */
export async function migrateApp(
  context: DeployContext,
  app: ManagedApp,
  { files, settings, release, commit, account, signal }: MigrateAppOptions,
): Promise<void> {
  const startedMs = performance.now();
  const address = addressOf(await openEnv(context, app, release.env), app);
  const shared =
    app.previewOf !== null && (await isDatabaseOf(context, { app: app.previewOf, address }).catch(rejectionFor(app)));
  if (shared) {
    tell(
      account,
      'migrate',
      `not done: this preview has the database of ${app.previewOf}, which only its own pushes migrate`,
    );
    return tell(
      account,
      'what to do',
      `give previews another: fnrun env ${app.previewOf} set --previews DATABASE_URL=…`,
    );
  }
  const { applied, before } = await migrate({
    files,
    address,
    settings,
    app: app.name,
    commit,
    signal,
    tell: (label, text) => tell(account, label, text),
  }).catch(rejectionFor(app));
  if (applied > 0) return;
  tell(account, 'migrate', `nothing to do, ${before} applied before (${ms(performance.now() - startedMs)})`);
}

/** Where the app's database is. Throws a Rejection. */
function addressOf(env: Env, app: ManagedApp): DatabaseAddress {
  const { DATABASE_URL: url, DATABASE_CA: ca } = env;
  const set = `fnrun env ${app.name} set DATABASE_URL=mysql://user:password@host/database`;
  if (url === undefined) {
    throw new Rejection('there are files in migrations/, and no DATABASE_URL says where to apply them', {
      hint: `${set}; or "database": { "migrations": false } in fnrun.json, if they are of another tool`,
    });
  }
  try {
    return parseDatabaseUrl(url, { name: 'DATABASE_URL', ca });
  } catch (error) {
    throw new Rejection((error as Error).message, { hint: set });
  }
}

function rejectionFor(app: ManagedApp): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof MigrationError)) throw error;
    throw new Rejection(`${error.place}${error.message}; ${whatGoesOn(app)}`, {
      hint: `${error.hint ?? ''}; then push again`,
      record: `migration: ${error.place}${error.message}`,
    });
  };
}
