import { existsSync } from 'node:fs';
import { isIP } from 'node:net';

/** Where a database is and how to get in, as mysql2 wants it. */
export interface DatabaseAddress {
  user?: string;
  password?: string;
  database?: string;
  host?: string;
  port?: number;
  socketPath?: string;
  ssl?: { rejectUnauthorized: true; verifyIdentity: true; ca?: string };
}

const wellKnownSockets = ['/run/mysqld/mysqld.sock', '/var/lib/mysql/mysql.sock', '/tmp/mysql.sock'];

/**
 * Reads `mysql://user:password@host:3306/database`. A local server is reached by its unix socket when the URL names no
 * port; another host by TLS with a verified certificate, unless the URL says `tls=off`. `ca`: certificates in PEM that
 * are trusted instead of the usual ones. Throws an Error that says what is wrong without showing the URL.
 */
export function parseDatabaseUrl(
  text: string,
  { name, ca }: { name: string; ca?: string | undefined },
): DatabaseAddress {
  const url = URL.parse(text);
  const wrong = (what: string): Error =>
    new Error(`${name} ${what}. It should read mysql://user:password@host:3306/database`);
  if (url === null) throw wrong('is no URL');
  if (url.protocol !== 'mysql:' && url.protocol !== 'mariadb:')
    throw wrong(`begins with "${url.protocol}", not "mysql:"`);
  const path = url.pathname.replace(/^\//, '');
  if (path.includes('/')) throw wrong('has a path of more than one segment');
  const address: DatabaseAddress = {
    ...(url.username !== '' && { user: decode(url.username, wrong) }),
    ...(url.password !== '' && { password: decode(url.password, wrong) }),
    ...(path !== '' && { database: decode(path, wrong) }),
  };
  const host = decode(url.hostname.replace(/^\[|\]$/g, ''), wrong) || 'localhost';
  const local = isLocal(host);
  const socketPath =
    url.searchParams.get('socketPath') ?? (host === 'localhost' && url.port === '' ? findSocket() : null);
  if (socketPath !== null) return { ...address, socketPath };
  const plain = ['off', 'disabled'].includes(
    (url.searchParams.get('tls') ?? url.searchParams.get('ssl-mode') ?? '').toLowerCase(),
  );
  const tls = !plain && (!local || ca !== undefined);
  return {
    ...address,
    host: host === 'localhost' ? '127.0.0.1' : host,
    port: url.port === '' ? 3306 : Number(url.port),
    ...(tls && { ssl: { rejectUnauthorized: true, verifyIdentity: true, ...(ca !== undefined && { ca }) } }),
  };
}

function decode(text: string, wrong: (what: string) => Error): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('holds a % that begins no escape (write %25)');
  }
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function findSocket(): string | null {
  return wellKnownSockets.find((path) => existsSync(path)) ?? null;
}
