import type { Wishes } from '../../deploy/server/facts.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { backupLimits } from '../../runtime/contract/limits.ts';
import type { CommandOptions, OptionValues } from '../command.ts';
import { parseCount } from '../mysql/parse-size.ts';

/** What can be asked for. An option that is left out keeps what was asked for before. */
export const wishOptions = {
  domain: {
    type: 'string',
    value: 'D',
    description: 'each app is at its-name.D; none: only at the domains that it is given',
  },
  key: {
    type: 'string',
    value: 'FILE',
    multiple: true,
    description: "public keys of the administrator (default: your ssh's, else root's there)",
  },
  database: { type: 'string', value: 'NAME', description: 'mariadb, mysql or none (default: mariadb)' },
  'backup-days': {
    type: 'string',
    value: 'N',
    description: `how long nightly backups are kept, in days (default: ${backupLimits.keepDays})`,
  },
  'acme-email': {
    type: 'string',
    value: 'ADDRESS',
    description: 'where warnings about certificates go; none: nowhere',
  },
  'acme-directory': {
    type: 'string',
    value: 'URL',
    description: "where certificates are from (default: Let's Encrypt)",
  },
  'no-upgrade': { type: 'boolean', description: 'leave installed packages at their versions, this time' },
} as const satisfies CommandOptions;

const databases: readonly string[] = ['mariadb', 'mysql', 'none'] satisfies Wishes['database'][];
const hostName = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/;

/** What the options ask for, but for the keys, whose files have to be read. Throws FN_USAGE. */
export function readAsked(values: OptionValues<typeof wishOptions>): Partial<Wishes> {
  const { domain, database, 'backup-days': days, 'acme-email': email, 'acme-directory': directory } = values;
  return {
    ...(domain !== undefined && { domain: orNone(domain.toLowerCase(), hostName, '--domain') }),
    ...(database !== undefined && { database: checkDatabase(database) }),
    ...(days !== undefined && {
      backupDays: parseCount(days, { name: '--backup-days', most: backupLimits.keepDaysMax }),
    }),
    ...(email !== undefined && { acmeEmail: orNone(email, /^[^@\s]+@[^@\s]+\.[^@\s]+$/, '--acme-email') }),
    ...(directory !== undefined && { acmeDirectory: checkUrl(directory) }),
    upgrade: values['no-upgrade'] !== true,
  };
}

function orNone(value: string, form: RegExp, option: string): string | null {
  if (value === 'none') return null;
  if (form.test(value)) return value;
  throw new FnrunError('FN_USAGE', `${option} cannot be ${JSON.stringify(value)}`, {
    hint: `for example ${option === '--domain' ? 'apps.example.no' : 'you@example.no'}, or none`,
  });
}

function checkDatabase(value: string): Wishes['database'] {
  if (databases.includes(value)) return value as Wishes['database'];
  throw new FnrunError('FN_USAGE', `--database cannot be ${JSON.stringify(value)}`, {
    hint: 'it is mariadb, mysql or none',
  });
}

function checkUrl(value: string): string {
  const url = URL.parse(value);
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return value;
  throw new FnrunError('FN_USAGE', `--acme-directory ${JSON.stringify(value)} is no URL`, {
    hint: 'for example https://acme-staging-v02.api.letsencrypt.org/directory',
  });
}
