import type { DatabaseAddress } from '../../runtime/contract/database-url.ts';
import { parseDatabaseUrl } from '../../runtime/contract/database-url.ts';
import type { Env } from '../../runtime/contract/env.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';

/** The database that an app uses: where it is, and which schema. */
export interface AppData {
  url: string;
  address: DatabaseAddress;
  schema: string;
}

/** Reads it from the app's variables. Throws FN_NO_DATABASE. */
export function appDataOf(app: string, env: Env): AppData {
  const { DATABASE_URL: url, DATABASE_CA: ca } = env;
  const set = `fnrun env ${app} set DATABASE_URL=mysql://user:password@host/database`;
  if (url === undefined) throw new FnrunError('FN_NO_DATABASE', `${app} has no DATABASE_URL`, { hint: set });
  let address: DatabaseAddress;
  try {
    address = parseDatabaseUrl(url, { name: 'DATABASE_URL', ca });
  } catch (cause) {
    throw new FnrunError('FN_NO_DATABASE', (cause as Error).message, { hint: set, cause });
  }
  const { database: schema } = address;
  if (schema === undefined) {
    throw new FnrunError('FN_NO_DATABASE', `The DATABASE_URL of ${app} names no database`, { hint: set });
  }
  return { url, address, schema };
}

/** The same URL with another schema. */
export function withSchema(url: string, schema: string): string {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(schema)}`;
  return changed.href;
}
