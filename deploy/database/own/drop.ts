import { hasUser, schemasOf } from './account.ts';
import type { DatabaseAdmin } from './admin.ts';
import { namesOf, quoteName } from './names.ts';
import type { DatabaseRecords } from './records.ts';

/** Removes schemas and their data for good. */
export async function dropSchemas(admin: DatabaseAdmin, schemas: readonly string[]): Promise<void> {
  for (const schema of schemas) await admin.run(`DROP DATABASE IF EXISTS ${quoteName(schema)}`);
}

/** Removes all that an app has on the server: schemas, user, and the record of it. Resolves to the schemas. */
export async function dropAll(
  { admin, records }: { admin: DatabaseAdmin; records: DatabaseRecords },
  app: string,
): Promise<string[]> {
  const schemas = await schemasOf(admin, app);
  await dropSchemas(admin, schemas);
  if (await hasUser(admin, app)) await admin.run('DROP USER ?@localhost', [namesOf(app).user]);
  await records.remove(app);
  return schemas;
}
