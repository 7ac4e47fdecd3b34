import { parseDatabaseUrl } from '../../../runtime/contract/database-url.ts';
import type { DatabaseAddress } from '../../../runtime/contract/database-url.ts';
import { FnrunError } from '../../../runtime/contract/errors.ts';

/** Where a server is and how to get in, as mysql2 takes it. */
export type ServerAddress = Omit<DatabaseAddress, 'database'> & { user: string };

/** Reads a URL as `DATABASE_URL` is read; root is who asks, unless it says so. Throws FN_USAGE without showing the URL, which holds a password. */
export function parseServerUrl(text: string, { name }: { name: string }): ServerAddress {
  try {
    const { database: _, ...address } = parseDatabaseUrl(text, { name });
    return { ...address, user: address.user ?? 'root' };
  } catch (cause) {
    const [what, hint = ''] = (cause as Error).message.split('. It should read ');
    throw new FnrunError('FN_USAGE', what!, hint === '' ? {} : { hint: `it should read ${hint}` });
  }
}

/** Whether the server runs on this machine, as far as its address tells. */
export function isLocal({ socketPath, host }: ServerAddress): boolean {
  return socketPath !== undefined || (host !== undefined && isLocalHost(host));
}

function isLocalHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
