import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FnrunError } from '../runtime/contract/errors.ts';
import { packageRoot } from '../runtime/entry-points.ts';
import type { Command, CommandContext } from './command.ts';
import { commands } from './commands.ts';
import { commandHelp, helpOption, overview } from './help.ts';
import { describeError, renderError } from './print-error.ts';
import { watchSignals } from './signals.ts';

/** The process as `main` sees it; tests pass their own. */
export interface MainOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  out?: (line: string) => void;
  err?: (line: string) => void;
}

/** Runs one command line (without node and script) and resolves to the exit code. Never throws. */
export async function main(args: readonly string[], options: MainOptions = {}): Promise<number> {
  const { env = process.env, cwd = process.cwd() } = options;
  const out = options.out ?? ((line: string) => void process.stdout.write(`${line}\n`));
  const err = options.err ?? ((line: string) => void process.stderr.write(`${line}\n`));
  try {
    return await dispatch(args, { env, cwd, out, err });
  } catch (error) {
    const told = describeError(error);
    if (told.code === null && env['FNRUN_DEBUG'] === '1' && error instanceof Error) err(error.stack ?? error.message);
    err(renderError(told, { json: args.includes('--json') }));
    return told.exitCode;
  }
}

type Surroundings = Pick<CommandContext, 'env' | 'cwd' | 'out' | 'err'>;

async function dispatch(args: readonly string[], around: Surroundings): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--version' || name === '-v') {
    around.out(version());
    return 0;
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const wanted = name === 'help' ? rest[0] : undefined;
    around.out(wanted === undefined ? overview(await loadAll()) : commandHelp(await load(wanted)));
    return name === undefined ? 2 : 0;
  }
  const command = await load(name);
  if (beforeTerminator(rest).some((arg) => arg === '--help' || arg === '-h')) {
    around.out(commandHelp(command));
    return 0;
  }
  return await run(command, rest, around);
}

async function run(command: Command, args: string[], around: Surroundings): Promise<number> {
  const { values, positionals } = parse(command, args);
  const signals = watchSignals();
  try {
    return await command.run({
      ...around,
      values,
      positionals,
      json: values['json'] === true,
      color: around.env['NO_COLOR'] === undefined && process.stdout.isTTY,
      signal: signals.signal,
    });
  } catch (error) {
    // What a command's calls throw when they are aborted is no news to the person who pressed Ctrl-C.
    if (signals.signal.aborted) return signals.exitCode();
    throw error;
  } finally {
    signals.stop();
  }
}

function parse(command: Command, args: string[]): Pick<CommandContext, 'values' | 'positionals'> {
  const hint = `see: fnrun ${command.name} --help`;
  let parsed;
  try {
    parsed = parseArgs({ args, options: { ...command.options, ...helpOption }, allowPositionals: true });
  } catch (error) {
    throw new FnrunError('FN_USAGE', describeError(error).message, { hint, cause: error });
  }
  const [min, max] = command.positionals ?? [0, Infinity];
  const count = parsed.positionals.length;
  if (count < min || count > max) {
    const what = count < min ? 'An argument is missing' : `${parsed.positionals[max]} is one argument too many`;
    throw new FnrunError('FN_USAGE', `${what}, usage: fnrun ${command.usage}`, { hint });
  }
  return parsed;
}

async function load(name: string): Promise<Command> {
  const loader = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (loader !== undefined) return (await loader()).command;
  const { closest, distance } = await import('fastest-levenshtein');
  const nearest = closest(name, Object.keys(commands));
  const hint = distance(name, nearest) <= 2 ? `did you mean: fnrun ${nearest}` : 'see: fnrun --help';
  throw new FnrunError('FN_USAGE', `${name} is no command of fnrun`, { hint });
}

async function loadAll(): Promise<Command[]> {
  return await Promise.all(Object.values(commands).map(async (loader) => (await loader()).command));
}

function beforeTerminator(args: string[]): string[] {
  const end = args.indexOf('--');
  return end === -1 ? args : args.slice(0, end);
}

function version(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  return version;
}
