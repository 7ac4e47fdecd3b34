import { parseDatabaseUrl } from '../../../runtime/contract/database-url.ts';
import type { Env } from '../../../runtime/contract/env.ts';
import { grant, hasUser, makeSchema, makeUser, newPassword, schemasOf } from './account.ts';
import type { DatabaseAdmin } from './admin.ts';
import { appOfSchema, databaseUrl, namesOf } from './names.ts';
import type { DatabaseRecords } from './records.ts';

/** An app that may get a database. */
export interface DatabaseApp {
  name: string;
  createdAt: string;
  /** The app that it is a preview of; null: it is none. */
  previewOf: string | null;
}

/** The apps of a server and their variables. */
export interface DatabaseApps {
  list(): Promise<DatabaseApp[]>;
  readEnv(app: string): Promise<Env>;
  /** Makes the live code live with these as well. */
  setEnv(app: string, set: Env): Promise<void>;
}

/** What databases are given with. */
export interface GiveContext {
  admin: DatabaseAdmin;
  records: DatabaseRecords;
  apps: DatabaseApps;
}

/**
 * `given`: it has its DATABASE_URL now. `there`: it had it. `mended`: user or schema were missing. `own`: it uses another
 * database. `unset`: it had one and has taken the variable away. `of-removed`: the database is of a removed app of its name.
 */
export type GiveOutcome = 'given' | 'there' | 'mended' | 'own' | 'unset' | 'of-removed';

/**
 * Sees to it that an app has a schema, a user and a DATABASE_URL, if it has none of its own. With `attach` it gets what is
 * there, whosever it was. Half of it, left by a run that was ended, is completed.
 */
export async function giveDatabase(
  context: GiveContext,
  app: DatabaseApp,
  { attach = false }: { attach?: boolean } = {},
): Promise<GiveOutcome> {
  const { admin, records, apps } = context;
  const url = (await apps.readEnv(app.name))['DATABASE_URL'];
  const record = await records.find(app.name);
  const mine = { app: app.name, appCreatedAt: app.createdAt };
  if (url !== undefined) {
    const own = ownAddress(url, { app: app.name, admin });
    if (own === null) return 'own';
    const mended = await mend(admin, { app: app.name, ...own });
    if (record?.given !== true || record.appCreatedAt !== app.createdAt) await records.put({ ...mine, given: true });
    return mended ? 'mended' : 'there';
  }
  const schemas = await schemasOf(admin, app.name);
  const { user, schema: first } = namesOf(app.name);
  if (!attach) {
    if (record === null ? schemas.length > 0 : record.appCreatedAt !== app.createdAt) return 'of-removed';
    if (record?.given === true) return 'unset';
  }
  await records.put({ ...mine, given: false });
  const schema = schemas.at(-1) ?? first;
  await makeSchema(admin, schema);
  const password = newPassword();
  await makeUser(admin, app.name, password);
  await apps.setEnv(app.name, {
    DATABASE_URL: databaseUrl({ user, password, schema, socketPath: admin.socketPath }),
  });
  await records.put({ ...mine, given: true });
  return 'given';
}

/** What a DATABASE_URL says, when it is one that was made here for this app. */
function ownAddress(
  url: string,
  { app, admin }: { app: string; admin: DatabaseAdmin },
): { password: string; schema: string } | null {
  try {
    const { user, password, database, socketPath } = parseDatabaseUrl(url, { name: 'DATABASE_URL' });
    if (user !== namesOf(app).user || socketPath !== admin.socketPath) return null;
    if (password === undefined || database === undefined || appOfSchema(database) !== app) return null;
    return { password, schema: database };
  } catch {
    return null;
  }
}

/** On a server that was built anew the variables are there before the databases. */
async function mend(
  admin: DatabaseAdmin,
  { app, password, schema }: { app: string; password: string; schema: string },
): Promise<boolean> {
  const schemas = await schemasOf(admin, app);
  const [lacksUser, lacksSchema] = [!(await hasUser(admin, app)), !schemas.includes(schema)];
  if (lacksSchema) await makeSchema(admin, schema);
  if (lacksUser) await makeUser(admin, app, password);
  else await grant(admin, app);
  return lacksUser || lacksSchema;
}
