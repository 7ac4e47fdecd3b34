import { FnrunError } from '../runtime/contract/errors.ts';
import type { CommandOptions } from './command.ts';

export const userOption = {
  user: { type: 'string', value: 'NAME', description: 'system user (default: www-data for nginx, fnrun for systemd)' },
} as const satisfies CommandOptions;

/** Returns `name`. Throws FN_USAGE when it cannot be a system user's. */
export function checkUser(name: string): string {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) return name;
  throw new FnrunError('FN_USAGE', `--user is the name of a system user: it is ${JSON.stringify(name)}`, {
    hint: 'lower-case letters, digits, _ and -, at most 32',
  });
}
