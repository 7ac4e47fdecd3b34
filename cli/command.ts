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

/** What a command is told on its command line. */
export interface Given {
  values: OptionValues<CommandOptions>;
  positionals: string[];
}

/** How a command is run on the server of a git remote, from the checkout of an app. */
export interface RemoteForm {
  /** Whether the first argument names the app; it may be left out then where arguments would be missing. */
  app: boolean;
  /** Whether the app was left out, where that is not a matter of their number. */
  leftOut?: (positionals: readonly string[]) => boolean;
  /** Whether it goes past the control API, straight to the app, and so asks first. */
  asks?: boolean;
  /** Options that say something about the server's machine: not for whoever comes over ssh. Beside `--home` and `--remote`. */
  localOptions?: readonly string[];
  /** What it reads of the caller's machine: sent as standard input. Null, the default: nothing. */
  input?: (given: Given) => RemoteInput | null;
  /** The file of the caller's machine that its standard output goes to. Null, the default: none. */
  output?: (given: Given) => RemoteOutput | null;
}

/** Where on the caller's machine the output of a command goes. */
export interface RemoteOutput {
  /** A file's path: written beside it and renamed when the command has succeeded. */
  to: string;
  /** The options with which the server's end writes to its standard output. */
  values: OptionValues<CommandOptions>;
}

/** What a command reads of the caller's machine. */
export interface RemoteInput {
  /** A file's path, or `-` for standard input. */
  from: string;
  /** The options with which the server's end reads it from its standard input. */
  values: OptionValues<CommandOptions>;
  /** And its arguments, if they are others. */
  positionals?: string[];
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
  /** Absent: the command runs on the machine it is called on, never over ssh. */
  remote?: RemoteForm;
  /** Not in the list of commands: other programs call it. @default false */
  hidden?: boolean;
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

/** `--remote`, which every command has that can run over ssh. */
export const remoteOption = {
  remote: {
    type: 'string',
    value: 'NAME',
    description:
      'run it over ssh on the server of this git remote (default in a checkout: fnrun, else the one that fits)',
  },
} as const satisfies CommandOptions;

/** `--json`, for commands that list something. */
export const jsonOption = {
  json: { type: 'boolean', description: 'print JSON instead of text' },
} as const satisfies CommandOptions;
