import { localMachine } from './local-machine.ts';
import type { Machine } from './machine.ts';
import { openSshMachine } from './ssh-machine.ts';
import { parseTarget } from './target.ts';

/** The machine of a TARGET. `ssh`: the ssh to use, as a line of shell. Rejects with FN_USAGE or FN_SSH_FAILED. */
export async function openMachine(target: string, { ssh }: { ssh?: string | undefined } = {}): Promise<Machine> {
  const parsed = parseTarget(target);
  if (parsed === 'local') return localMachine();
  return await openSshMachine({ target: parsed, ...(ssh !== undefined && { ssh }) });
}
