import type { ParseArgsConfig, parseArgs } from 'node:util';

/** One option, as node:util parseArgs takes it, with the words that `--help` shows. */
export interface CommandOption {
  type: 'string' | 'boolean';
  short?: string;
  multiple?: boolean;
  default?: string | boolean | string[] | boolean[];
  /** One line for `--help`, no final period. */
  description: string;
  /** Name of the value in `--help`, for example `DIR`. */
  value?: string;
}

export type CommandOptions = Record<string, CommandOption>;

/** The parsed values of a command's options. */
export type OptionValues<O extends CommandOptions> = ReturnType<
  typeof parseArgs<{ options: O & NonNullable<ParseArgsConfig['options']> }>
>['values'];

/** What a command gets to run with. Nothing in it is global state. */
export interface CommandContext<O extends CommandOptions = CommandOptions> {
  values: OptionValues<O>;
  positionals: string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Whether `--json` was given. */
  json: boolean;
  /** Whether stdout takes colours (a terminal, and no NO_COLOR). */
  color: boolean;
  /** Writes one line to stdout; the line break is added. */
  out: (line: string) => void;
  /** Writes one line to stderr; the line break is added. */
  err: (line: string) => void;
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP; a command that stays up ends then. */
  signal: AbortSignal;
}

/** A subcommand: one file each in cli/commands/, loaded when it is called. */
export interface Command {
  name: string;
  /** One line for the list of commands, no final period. */
  summary: string;
  /** Its command line without `fnrun `, for example `rollback APP [RELEASE]`. */
  usage: string;
  options: CommandOptions;
  /** How many positional arguments it takes; others are a usage error. @default [0, Infinity] */
  positionals?: readonly [min: number, max: number];
  /** Further lines of `--help`. */
  details?: string;
  /** Resolves to the exit code. Throws FnrunError for what a person can mend. */
  run(context: CommandContext): Promise<number>;
}

/** A command whose `run` sees the types of its own options. */
export interface TypedCommand<O extends CommandOptions> extends Omit<Command, 'options' | 'run'> {
  options: O;
  run(context: CommandContext<O>): Promise<number>;
}

/** Checks a command's types where it is written and forgets them for the table of commands. */
export function defineCommand<const O extends CommandOptions>(command: TypedCommand<O>): Command {
  return command;
}

/** `--home`, for commands that talk to a server or are one. */
export const homeOption = {
  home: {
    type: 'string',
    value: 'DIR',
    description: 'folder of the server (default: $FNRUN_HOME, else /var/lib/fnrun when writable, else ./.fnrun)',
  },
} as const satisfies CommandOptions;

/** `--json`, for commands that list something. */
export const jsonOption = {
  json: { type: 'boolean', description: 'print JSON instead of text' },
} as const satisfies CommandOptions;
