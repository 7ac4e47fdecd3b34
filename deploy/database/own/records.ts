import type { DatabaseAdmin } from './admin.ts';

/** What is on record about the database of one app. It outlives the app. */
export interface DatabaseRecord {
  app: string;
  /** When the app was made that has it: another one of the same name does not get it by itself. */
  appCreatedAt: string;
  /** Whether the app has been given its DATABASE_URL: one that has unset it since does not get it again by itself. */
  given: boolean;
}

/** The records, kept where the data are: whoever restores one has the other. Apps cannot reach them. */
export interface DatabaseRecords {
  all(): Promise<DatabaseRecord[]>;
  find(app: string): Promise<DatabaseRecord | null>;
  put(record: DatabaseRecord): Promise<void>;
  remove(app: string): Promise<void>;
}

// No app's schema is called so: those go on with an underscore.
const table = 'fnrun.app_databases';

/** Opens them, and makes their table when it is missing. */
export async function openRecords(admin: DatabaseAdmin): Promise<DatabaseRecords> {
  await admin.run('CREATE DATABASE IF NOT EXISTS fnrun CHARACTER SET utf8mb4');
  await admin.run(
    `CREATE TABLE IF NOT EXISTS ${table} (
       app VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
       app_created_at VARCHAR(32) NOT NULL,
       given BOOLEAN NOT NULL
     ) ENGINE=InnoDB`,
  );
  const select = `SELECT app, app_created_at AS appCreatedAt, given FROM ${table}`;
  const read = async (where: string, values: unknown[]): Promise<DatabaseRecord[]> =>
    (await admin.run(`${select} ${where}`, values)).map((row) => ({
      app: String(row['app']),
      appCreatedAt: String(row['appCreatedAt']),
      given: Number(row['given']) === 1,
    }));
  return {
    all: async () => await read('ORDER BY app', []),
    find: async (app) => (await read('WHERE app = ?', [app]))[0] ?? null,
    put: async ({ app, appCreatedAt, given }) => {
      await admin.run(`REPLACE INTO ${table} (app, app_created_at, given) VALUES (?, ?, ?)`, [
        app,
        appCreatedAt,
        given,
      ]);
    },
    remove: async (app) => void (await admin.run(`DELETE FROM ${table} WHERE app = ?`, [app])),
  };
}
