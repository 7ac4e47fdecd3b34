import { FnrunError } from '../../../runtime/contract/errors.ts';
import { appUserLimits } from '../../../runtime/contract/limits.ts';
import { checkFile, readFile, writeFile, type WantedFile } from '../files.ts';
import { layout, serviceNote } from '../layout.ts';
import { must } from '../must.ts';
import type { SetupContext, Step } from '../step.ts';

const path = '/var/lib/fnrun/config.json';

/** Each app runs as a user of its own: the server reads the range, and where apps are, when it starts; its unit has what that takes. */
export const appUsersStep: Step = {
  id: 'app-users',
  title: 'each app has a user of its own',
  check: async (context) => {
    const change = await checkFile(context.machine, await wanted(context));
    return change === null ? [] : [change];
  },
  apply: async (context) => {
    // A server that runs has read it as it was: the step `service` replaces it, without a dropped request.
    await must(context.machine, ['sh', '-c', leaveNote, 'sh', layout.unit, serviceNote]);
    await writeFile(context.machine, await wanted(context));
  },
};

const leaveNote = 'systemctl is-active -q -- "$1" || exit 0; mkdir -p "${2%/*}" && : > "$2"';

async function wanted({ machine, wishes }: SetupContext): Promise<WantedFile> {
  const there = await readFile(machine, path);
  return { path, text: configText(there?.text ?? null, { domain: wishes.domain }), mode: 0o640, owner: 'root:fnrun' };
}

/**
 * The text of config.json with a range and the domain in it: `text` as it is when it has both. Throws FN_SETUP_FAILED when
 * it cannot be read, since a server cannot start with it either.
 */
export function configText(text: string | null, { domain }: { domain: string | null }): string {
  const { first, count } = appUserLimits;
  const { domain: told, ...config }: { domain?: unknown; appUsers?: object } = text === null ? {} : parse(text);
  const isTold = domain === null ? told === undefined : told === domain;
  if (text !== null && config.appUsers !== undefined && isTold) return text;
  const wanted = { ...(domain !== null && { domain }), appUsers: { first, count }, ...config };
  return `${JSON.stringify(wanted, null, 2)}\n`;
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
