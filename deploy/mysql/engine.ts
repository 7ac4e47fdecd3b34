/** The two servers that speak MySQL's protocol; their variables have parted. */
export type Engine = 'mariadb' | 'mysql';

export const engineNames: Readonly<Record<Engine, string>> = { mariadb: 'MariaDB', mysql: 'MySQL' };

/** A database server by engine and version, for example MariaDB 10.11.19. */
export interface ServerVersion {
  engine: Engine;
  /** Two or three numbers: `8.4`, `10.11.19`. */
  version: string;
}

/** The oldest versions whose variables are known here. */
export const oldestKnown: Readonly<Record<Engine, string>> = { mariadb: '10.3', mysql: '5.7' };

/**
 * Reads `mysqld --version` or `SELECT VERSION()`; null when neither engine is told.
 * MariaDB calls itself so in the version; some builds put `5.5.5-` before it for old replicas.
 */
export function parseServerVersion(text: string): ServerVersion | null {
  const isMariadb = /mariadb/i.test(text);
  const plain = text.replace(/\b5\.5\.5-(?=\d)/, '');
  const version = /(?:\bVer\s+|^\s*)(\d+\.\d+(?:\.\d+)?)/.exec(plain)?.[1];
  return version === undefined ? null : { engine: isMariadb ? 'mariadb' : 'mysql', version };
}
