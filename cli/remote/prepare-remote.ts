import type { Command, CommandContext, Given, RemoteForm } from '../command.ts';
import { findRemote } from './find-remote.ts';
import { runRemote } from './run-remote.ts';

/** A command that is meant for another machine. */
export interface PreparedRemote {
  /** With the app's name, where it was left out. */
  given: Given;
  run: () => Promise<number>;
}

/** Finds the server that a command is meant for; null when this folder tells of none. */
export async function prepareRemote(options: {
  command: Command;
  context: CommandContext;
  form: RemoteForm;
}): Promise<PreparedRemote | null> {
  const { command, context, form } = options;
  const { cwd, env, color, signal } = context;
  const remote = await findRemote(context.values['remote'] as string | undefined, { cwd, env });
  if (remote === null) return null;
  const [min] = command.positionals ?? [0, Infinity];
  const few = context.positionals.length < min;
  const missing = form.app && (few || form.leftOut?.(context.positionals) === true);
  const positionals = missing ? [remote.app, ...context.positionals] : context.positionals;
  const given = { values: context.values, positionals };
  const input = form.input?.(given) ?? null;
  const output = form.output?.(given) ?? null;
  const values = output?.values ?? input?.values ?? context.values;
  const args = [command.name, ...optionArgs(values), '--', ...(input?.positionals ?? positionals)];
  const run = async (): Promise<number> => {
    try {
      const files = { input: input?.from ?? null, output: output?.to ?? null };
      return await runRemote({ remote, args, color, ...files, cwd, env, signal });
    } catch (error) {
      // Ctrl-C is how a followed log ends, here as there.
      if (signal.aborted && context.values['follow'] === true) return 0;
      throw error;
    }
  };
  return { given, run };
}

/** The options as arguments again, one way each. */
function optionArgs(values: Given['values']): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (name === 'remote' || name === 'home' || value === undefined || value === false) return [];
    if (value === true) return [`--${name}`];
    return [value].flat().map((one) => `--${name}=${String(one)}`);
  });
}
