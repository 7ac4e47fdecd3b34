import { readFile } from 'node:fs/promises';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { isHostName } from '../nginx/site/names.ts';

/** What sync needs of /etc/fnrun/server.json, which `fnrun server setup` writes and only root can. */
export interface ServerFile {
  /** Each app is `<app>.<domain>`; null: apps have only the domains that they ask for. */
  domain: string | null;
  acmeEmail: string | null;
  /** ACME directory; null: no certificates are got. */
  acmeDirectory: string | null;
  database: 'mariadb' | 'mysql' | 'none';
}

/** Reads it; without one there is nothing but what apps ask for. Throws FN_BAD_SETTINGS. */
export async function readServerFile(path: string): Promise<ServerFile> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad(path, (cause as Error).message, cause);
  }
  if (typeof value !== 'object' || value === null) throw bad(path, 'it is no object');
  const { domain = null, acmeEmail = null, acmeDirectory = null, database = 'none' } = value as Record<string, unknown>;
  if (domain !== null && !(typeof domain === 'string' && isHostName(domain))) throw bad(path, 'domain is no host name');
  if (acmeEmail !== null && typeof acmeEmail !== 'string') throw bad(path, 'acmeEmail is no text');
  if (acmeDirectory !== null && !(typeof acmeDirectory === 'string' && acmeDirectory.startsWith('https://'))) {
    throw bad(path, 'acmeDirectory is no https:// URL');
  }
  if (database !== 'mariadb' && database !== 'mysql' && database !== 'none') throw bad(path, 'database is unknown');
  return { domain, acmeEmail, acmeDirectory, database };
}

function bad(path: string, why: string, cause?: unknown): FnrunError {
  const hint = 'mend it, or run fnrun server setup again';
  return new FnrunError('FN_BAD_SETTINGS', `Cannot use ${path}: ${why}`, { cause, hint });
}
