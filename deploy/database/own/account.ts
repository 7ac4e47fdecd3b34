import { randomBytes } from 'node:crypto';
import type { DatabaseAdmin } from './admin.ts';
import { namesOf, quoteName, schemaPatterns } from './names.ts';

/** The user of an app and his rights, on the server. */

export async function hasUser(admin: DatabaseAdmin, app: string): Promise<boolean> {
  const { user } = namesOf(app);
  const rows = await admin.run("SELECT 1 FROM mysql.user WHERE User = ? AND Host = 'localhost'", [user]);
  return rows.length > 0;
}

/** All schemas of an app: the first one, then those that restores have made, oldest first. */
export async function schemasOf(admin: DatabaseAdmin, app: string): Promise<string[]> {
  const sql =
    'SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE ? ORDER BY schema_name';
  const found = await Promise.all(schemaPatterns(app).map((pattern) => admin.run(sql, [pattern])));
  return found.flat().map((row) => String(row['name']));
}

export async function makeSchema(admin: DatabaseAdmin, schema: string): Promise<void> {
  await admin.run(`CREATE DATABASE IF NOT EXISTS ${quoteName(schema)} CHARACTER SET utf8mb4`);
}

/** A user who may do everything with the schemas of the app, and nothing else. One who is there gets this password. */
export async function makeUser(admin: DatabaseAdmin, app: string, password: string): Promise<void> {
  const { user } = namesOf(app);
  await admin.run('CREATE USER IF NOT EXISTS ?@localhost IDENTIFIED BY ?', [user, password]);
  await admin.run('ALTER USER ?@localhost IDENTIFIED BY ?', [user, password]);
  await grant(admin, app);
}

/** GRANT is idempotent. The second pattern lets a restore make its schema without an administrator. */
export async function grant(admin: DatabaseAdmin, app: string): Promise<void> {
  const { user } = namesOf(app);
  for (const pattern of schemaPatterns(app)) {
    await admin.run(`GRANT ALL PRIVILEGES ON ${quoteName(pattern)}.* TO ?@localhost`, [user]);
  }
}

/** 192 random bits in characters that a URL and an option file take as they are. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url');
}
