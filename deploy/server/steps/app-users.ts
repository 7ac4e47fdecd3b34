import { FnrunError } from '../../../runtime/contract/errors.ts';
import { appUserLimits } from '../../../runtime/contract/limits.ts';
import { checkFile, readFile, writeFile, type WantedFile } from '../files.ts';
import type { Machine } from '../machine.ts';
import type { Step } from '../step.ts';

const path = '/var/lib/fnrun/config.json';

/** Each app runs as a user of its own: the server reads the range when it starts, and its unit has what that takes. */
export const appUsersStep: Step = {
  id: 'app-users',
  title: 'each app has a user of its own',
  check: async ({ machine }) => {
    const change = await checkFile(machine, await wanted(machine));
    return change === null ? [] : [change];
  },
  apply: async ({ machine }) => await writeFile(machine, await wanted(machine)),
};

async function wanted(machine: Machine): Promise<WantedFile> {
  const there = await readFile(machine, path);
  return { path, text: configText(there?.text ?? null), mode: 0o640, owner: 'root:fnrun' };
}

/**
 * The text of config.json with a range in it: `text` as it is when it has one. Throws FN_SETUP_FAILED when it cannot be
 * read, since a server cannot start with it either.
 */
export function configText(text: string | null): string {
  const { first, count } = appUserLimits;
  const config = text === null ? {} : parse(text);
  if (text !== null && 'appUsers' in config) return text;
  return `${JSON.stringify({ ...config, appUsers: { first, count } }, null, 2)}\n`;
}

function parse(text: string): object {
  let why = 'it is no object';
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config;
  } catch (error) {
    why = (error as Error).message;
  }
  throw new FnrunError('FN_SETUP_FAILED', `Cannot read ${path} of the server: ${why}`, {
    hint: 'mend it there; it is strict JSON: double quotes, no comments, no comma before } or ]',
  });
}
