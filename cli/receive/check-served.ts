import { join } from 'node:path';
import { FnrunError } from '../../runtime/contract/errors.ts';
import type { Command, CommandContext } from '../command.ts';
import { createControlClient } from '../control-client.ts';
import { resolveHome } from '../home.ts';

/**
 * Refuses what a command must not do that has come over ssh, whatever its key: run something else than a command about
 * apps, turn to another server, or read files of this one. What it does to apps, the control API judges.
 */
export async function checkServed(command: Command, context: CommandContext): Promise<void> {
  const { name, remote } = command;
  if (remote === undefined) {
    throw new FnrunError('FN_FORBIDDEN', `fnrun ${name} does not run over ssh`, { hint: 'run it on your own machine' });
  }
  for (const option of ['home', 'remote', ...(remote.localOptions ?? [])]) {
    const value = context.values[option];
    if (value === undefined || value === command.options[option]?.default) continue;
    throw new FnrunError('FN_FORBIDDEN', `--${option} is not for the other end of ssh`, { hint: 'leave it out' });
  }
  if ((remote.input?.(context)?.from ?? '-') !== '-') {
    throw new FnrunError('FN_FORBIDDEN', 'Files of the server are not read', { hint: 'send it on standard input' });
  }
  if ((remote.output?.(context)?.to ?? '-') !== '-') {
    throw new FnrunError('FN_FORBIDDEN', 'Files of the server are not written', { hint: 'take its standard output' });
  }
  if (remote.asks !== true) return;
  const client = createControlClient(resolveHome(undefined, context));
  await client.request('POST', join('/v1/apps', encodeURIComponent(context.positionals[0] ?? ''), 'authorize'));
}
