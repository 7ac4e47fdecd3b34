import { FnrunError } from '../../runtime/contract/errors.ts';
import { backupLimits } from '../../runtime/contract/limits.ts';
import type { Wishes } from './facts.ts';
import { checkFile, readFile, writeFile, type WantedFile } from './files.ts';
import type { Machine } from './machine.ts';
import type { Step } from './step.ts';

/** What a machine was asked to be is kept here, for the next setup and for what runs on it by itself. */
export const wishesPath = '/etc/fnrun/server.json';

/** Where nothing was asked for. */
export const defaultWishes: Wishes = {
  domain: null,
  adminKeys: [],
  database: 'mariadb',
  backupDays: backupLimits.keepDays,
  upgrade: true,
  acmeEmail: null,
  acmeDirectory: 'https://acme-v02.api.letsencrypt.org/directory',
};

/** What the machine was asked to be at an earlier setup; null: there was none. Throws FN_SETUP_FAILED when it cannot be read. */
export async function readWishes(machine: Machine): Promise<Partial<Wishes> | null> {
  const file = await readFile(machine, wishesPath);
  return file === null ? null : parseWishes(file.text, { where: `${wishesPath} on ${machine.name}` });
}

export function parseWishes(text: string, { where }: { where: string }): Partial<Wishes> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Told below.
  }
  throw new FnrunError('FN_SETUP_FAILED', `Cannot read ${where}: it is no JSON object`, {
    hint: 'mend it, or remove it and name all options again',
  });
}

/** What is asked for now, before what was asked for earlier, before the defaults. */
export function mergeWishes(asked: Partial<Wishes>, kept: Partial<Wishes> | null): Wishes {
  // Whether packages are upgraded is said each time.
  const { upgrade: _, ...earlier } = kept ?? {};
  return { ...defaultWishes, ...earlier, ...asked };
}

function fileOf(wishes: Wishes): WantedFile {
  const { upgrade: _, ...kept } = wishes;
  return { path: wishesPath, text: `${JSON.stringify(kept, null, 2)}\n` };
}

/** Comes first: a setup that failed half-way goes on with the same wishes. */
export const wishesStep: Step = {
  id: 'wishes',
  title: `what is asked for is kept in ${wishesPath}`,
  check: async ({ machine, wishes }) => {
    const change = await checkFile(machine, fileOf(wishes));
    return change === null ? [] : [change];
  },
  apply: async ({ machine, wishes }) => await writeFile(machine, fileOf(wishes)),
};
