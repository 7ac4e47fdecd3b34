import type { Command } from './command.ts';

/** Every subcommand in the order of `--help`, each loaded only when it is called. */
export const commands: Readonly<Record<string, () => Promise<{ command: Command }>>> = {};
