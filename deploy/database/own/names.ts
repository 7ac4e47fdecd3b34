import { createHash } from 'node:crypto';
import { appDatabaseLimits } from '../../../runtime/contract/limits.ts';

/** What an app has on the database server of its machine. */
export interface AppDatabaseNames {
  /** Of its user, who comes from localhost only. */
  user: string;
  /** Of its first schema. */
  schema: string;
}

/** No name of an app has an underscore: whatever begins with this and an app's name and goes on with one is that app's. */
const prefix = 'fnrun_';
/** Stands between an app's first schema and the moment at which another one was made for a restore. */
const restored = '_r';

/** The user and the first schema of an app. MySQL takes users of 32 characters: longer ones end in a hash, which no name of an app can be mistaken for. */
export function namesOf(app: string): AppDatabaseNames {
  const schema = `${prefix}${app}`;
  if (schema.length <= appDatabaseLimits.userChars) return { user: schema, schema };
  const hash = createHash('sha256').update(app).digest('hex').slice(0, 8);
  return { user: `${schema.slice(0, appDatabaseLimits.userChars - 9)}_${hash}`, schema };
}

/** The schema that a restore fills: `fnrun_shop_r20270131235959`. At most 62 of the 64 characters that a schema may have. */
export function restoredSchema(app: string, at: Date): string {
  return `${namesOf(app).schema}${restored}${at.toISOString().replace(/\D/g, '').slice(0, 14)}`;
}

/** The app whose schema this is; null: of none. */
export function appOfSchema(schema: string): string | null {
  return /^fnrun_([a-z0-9-]+)(?:_r\d{14})?$/.exec(schema)?.[1] ?? null;
}

/** What GRANT takes for all schemas of an app: patterns, in which `_` would else stand for any character. */
export function schemaPatterns(app: string): string[] {
  const schema = namesOf(app).schema.replaceAll('_', '\\_');
  return [schema, `${schema}\\_r%`];
}

/** A name as SQL has it, whatever is in it. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** The URL that an app gets. */
export function databaseUrl({ user, password, schema, socketPath }: DatabaseUrlParts): string {
  const [name, word, path] = [user, password, schema].map(encodeURIComponent);
  return `mysql://${name}:${word}@localhost/${path}?socketPath=${encodeURI(socketPath)}`;
}

export interface DatabaseUrlParts {
  user: string;
  password: string;
  schema: string;
  socketPath: string;
}
