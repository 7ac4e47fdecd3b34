import { FnrunError } from '../../../runtime/contract/errors.ts';

/** Where a server is and how to get in, as mysql2 takes it. */
export interface ServerAddress {
  user: string;
  password?: string;
  host?: string;
  port?: number;
  socketPath?: string;
  ssl?: { rejectUnauthorized: true };
}

/**
 * Reads `mysql://user:password@host:3306/database?socketPath=…`. Another host is reached by TLS with a verified
 * certificate unless the URL says `tls=off`. Throws FN_USAGE without showing the URL, which holds a password.
 */
export function parseServerUrl(text: string, { name }: { name: string }): ServerAddress {
  const url = URL.parse(text);
  const wrong = (what: string): FnrunError =>
    new FnrunError('FN_USAGE', `${name} ${what}`, { hint: 'it should read mysql://user:password@host:3306/database' });
  if (url === null) throw wrong('is no URL');
  if (url.protocol !== 'mysql:' && url.protocol !== 'mariadb:') throw wrong('does not begin with mysql:');
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      throw wrong('holds a % that begins no escape (write %25)');
    }
  };
  const who = {
    user: decode(url.username) || 'root',
    ...(url.password !== '' && { password: decode(url.password) }),
  };
  const socketPath = url.searchParams.get('socketPath');
  if (socketPath !== null) return { ...who, socketPath };
  const host = url.hostname.replace(/^\[|\]$/g, '') || 'localhost';
  const plain = isLocalHost(host) || url.searchParams.get('tls') === 'off';
  return {
    ...who,
    host: host === 'localhost' ? '127.0.0.1' : host,
    port: url.port === '' ? 3306 : Number(url.port),
    ...(!plain && { ssl: { rejectUnauthorized: true } }),
  };
}

/** Whether the server runs on this machine, as far as its address tells. */
export function isLocal({ socketPath, host }: ServerAddress): boolean {
  return socketPath !== undefined || (host !== undefined && isLocalHost(host));
}

function isLocalHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
