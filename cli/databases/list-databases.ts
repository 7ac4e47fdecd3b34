import type { DatabaseAdmin } from '../../deploy/database/own/admin.ts';
import type { DatabaseApps } from '../../deploy/database/own/give.ts';
import { appOfSchema } from '../../deploy/database/own/names.ts';
import { addressIn } from '../../deploy/database/server.ts';

/** One schema that fnrun has made. */
export interface DatabaseRow {
  app: string;
  schema: string;
  /** `live`: its app uses it; `former`: from before a restore; `removed`: its app is gone; `idle`: its app uses another database. */
  state: 'live' | 'former' | 'removed' | 'idle';
  tables: number;
  bytes: number;
}

/** Every schema of an app, with what it is to that app. */
export async function listDatabases(admin: DatabaseAdmin, apps: DatabaseApps): Promise<DatabaseRow[]> {
  const sql = `SELECT s.schema_name AS name, COUNT(t.table_name) AS tables,
    COALESCE(SUM(t.data_length + t.index_length), 0) AS bytes FROM information_schema.schemata s
    LEFT JOIN information_schema.tables t ON t.table_schema = s.schema_name
    WHERE s.schema_name LIKE 'fnrun\\_%' GROUP BY s.schema_name ORDER BY s.schema_name`;
  const used = new Map<string, string | null>();
  for (const { name, previewOf } of await apps.list()) {
    if (previewOf !== null) continue;
    const address = addressIn(await apps.readEnv(name), { env: 'DATABASE_URL' });
    used.set(name, address?.socketPath === admin.socketPath ? (address.database ?? null) : null);
  }
  return (await admin.run(sql)).flatMap((row) => {
    const schema = String(row['name']);
    const app = appOfSchema(schema);
    if (app === null) return [];
    const current = used.get(app);
    const state: DatabaseRow['state'] =
      current === undefined ? 'removed' : current === null ? 'idle' : current === schema ? 'live' : 'former';
    return [{ app, schema, state, tables: Number(row['tables']), bytes: Number(row['bytes']) }];
  });
}
