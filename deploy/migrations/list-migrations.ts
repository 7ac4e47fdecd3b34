import type { MigrationBody, MigrationsBody } from '../../router/control/types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import type { DeployContext, ManagedApp } from '../context.ts';
import { addressIn, serverName } from '../database/server.ts';
import { git } from '../git/run.ts';
import { openEnv } from '../release-ref.ts';
import { leave } from '../mysql/leave.ts';
import { connectTo } from './migrate.ts';
import { compareMigrations, isMigration, migrationsFolder } from './read.ts';
import { readTable } from './table.ts';
import type { MigrationRow } from './table.ts';

/** What the database of an app has had, and what it has not had of the live commit. */
export async function listMigrations(context: DeployContext, app: ManagedApp): Promise<MigrationsBody> {
  const id = app.live === null ? ((await context.store.getApp(app.name))?.env ?? null) : app.live.env;
  const address = addressIn(await openEnv(context, app, id), { env: 'DATABASE_URL' });
  if (address === null) {
    throw new FnrunError('FN_NO_DATABASE', `${app.name} has no DATABASE_URL that can be used`, {
      hint: `fnrun env ${app.name} set DATABASE_URL=mysql://user:password@host/database`,
    });
  }
  const [rows, names] = await Promise.all([readRows(address), namesOf(app)]);
  const recorded = new Set(rows.map(({ name }) => name));
  const pending = names.filter((name) => !recorded.has(name)).map(pendingBody);
  return {
    app: app.name,
    database: `${serverName(address)}/${address.database ?? ''}`,
    migrations: [...rows.map(recordedBody), ...pending].toSorted((a, b) => compareMigrations(a.name, b.name)),
  };
}

async function readRows(address: NonNullable<ReturnType<typeof addressIn>>): Promise<MigrationRow[]> {
  try {
    const connection = await connectTo(address);
    try {
      return await readTable(connection);
    } finally {
      leave(connection);
    }
  } catch (error) {
    const { message } = error as Error;
    throw new FnrunError('FN_DB_UNAVAILABLE', message, {
      hint: 'look at DATABASE_URL, and whether the server runs',
      cause: error,
    });
  }
}

/** The files of the live commit. */
async function namesOf(app: ManagedApp): Promise<string[]> {
  if (app.live === null) return [];
  const args = ['ls-tree', '-z', '--name-only', app.live.commit, `${migrationsFolder}/`];
  const text = await git(args, { repository: app.paths.repository });
  return text
    .split('\0')
    .map((path) => path.slice(migrationsFolder.length + 1))
    .filter(isMigration);
}

function recordedBody(row: MigrationRow): MigrationBody {
  const { name, state, appliedAt, tookMs, statements, app, commit, error } = row;
  return { name, state, appliedAt, tookMs, statements, by: app, commit: commit === '' ? null : commit, error };
}

function pendingBody(name: string): MigrationBody {
  return {
    name,
    state: 'pending',
    appliedAt: null,
    tookMs: null,
    statements: null,
    by: null,
    commit: null,
    error: null,
  };
}
