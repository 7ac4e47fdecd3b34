import { readFileSync } from 'node:fs';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { appUserLimits } from '../../runtime/contract/limits.ts';

/** `appUsers` of config.json: the numbers that apps get as users and groups. */
export interface AppUserRange {
  first?: number;
  /** @default 1000 */
  count?: number;
}

/** Numbers that may be given to apps. */
export interface UserNumbers {
  first: number;
  last: number;
  /** Some that others have. */
  taken: ReadonlySet<number>;
}

/** What the machine says about its users: the texts of the files in /etc, empty where there is none. */
export interface UserFiles {
  passwd: string;
  group: string;
  subuid: string;
  subgid: string;
}

export function readUserFiles(): UserFiles {
  const read = (name: string): string => {
    try {
      return readFileSync(`/etc/${name}`, 'utf8');
    } catch {
      return '';
    }
  };
  return { passwd: read('passwd'), group: read('group'), subuid: read('subuid'), subgid: read('subgid') };
}

/**
 * The numbers of `range`, without those of users and groups of this machine. Throws FN_BAD_SETTINGS where the machine
 * lends some of them to the containers of a user: whoever that is could act as the app.
 */
export function userNumbers({ first, count = appUserLimits.count }: AppUserRange, files: UserFiles): UserNumbers {
  const hint = 'choose another range: 70000 to 99999 is free on most machines';
  if (first === undefined) throw new FnrunError('FN_BAD_SETTINGS', 'appUsers in config.json has no "first"', { hint });
  const last = first + count - 1;
  for (const file of ['subuid', 'subgid'] as const) {
    for (const [name, from, length] of rows(files[file])) {
      if (Number(from) > last || Number(from) + Number(length) <= first) continue;
      const what = `appUsers in config.json has the numbers ${first} to ${last}, of which /etc/${file} lends some to ${name}`;
      throw new FnrunError('FN_BAD_SETTINGS', what, { hint });
    }
  }
  const others = [...rows(files.passwd), ...rows(files.group)].map(([, , id]) => Number(id));
  return { first, last, taken: new Set(others.filter((id) => id >= first && id <= last)) };
}

function rows(text: string): string[][] {
  const lines = text.split('\n').filter((line) => /^[^#:]+:/.test(line));
  return lines.map((line) => line.split(':'));
}
