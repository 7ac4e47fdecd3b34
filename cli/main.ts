import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FnrunError } from '../runtime/contract/errors.ts';
import { packageRoot } from '../runtime/entry-points.ts';
import type { Command, CommandContext, Given } from './command.ts';
import { commands } from './commands.ts';
import { allOptions, commandHelp, overview } from './help.ts';
import { meansThisMachine } from './home.ts';
import { describeError, renderError } from './print-error.ts';
import { watchSignals } from './signals.ts';

/** The process as `main` sees it; tests pass their own. */
export interface MainOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  out?: (line: string) => void;
  err?: (line: string) => void;
  /** Set for a command that has come over ssh: it may be one about apps only, and reads nothing of this machine. */
  served?: { color: boolean } | undefined;
}

/** Runs one command line (without node and script) and resolves to the exit code. Never throws. */
export async function main(args: readonly string[], options: MainOptions = {}): Promise<number> {
  const { env = process.env, cwd = process.cwd() } = options;
  const out = options.out ?? ((line: string) => void process.stdout.write(`${line}\n`));
  const err = options.err ?? ((line: string) => void process.stderr.write(`${line}\n`));
  try {
    return await dispatch(args, { env, cwd, out, err, served: options.served });
  } catch (error) {
    const told = describeError(error);
    if (told.code === null && env['FNRUN_DEBUG'] === '1' && error instanceof Error) err(error.stack ?? error.message);
    err(renderError(told, { json: args.includes('--json') }));
    return told.exitCode;
  }
}

type Surroundings = Pick<CommandContext, 'env' | 'cwd' | 'out' | 'err'> & Pick<MainOptions, 'served'>;

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
  const given = parse(command, args);
  const { served, ...surroundings } = around;
  const color = served?.color ?? (around.env['NO_COLOR'] === undefined && process.stdout.isTTY);
  const signals = watchSignals();
  const context = { ...surroundings, ...given, json: given.values['json'] === true, color, signal: signals.signal };
  try {
    if (served !== undefined) await (await import('./receive/check-served.ts')).checkServed(command, context);
    const remote = served === undefined ? await remoteOf(command, context) : null;
    if (remote !== null) return await remote();
    checkCount(command, given);
    return await command.run(context);
  } catch (error) {
    // What a command's calls throw when they are aborted is no news to the person who pressed Ctrl-C.
    if (signals.signal.aborted) return signals.exitCode();
    throw error;
  } finally {
    signals.stop();
  }
}

/** How to run the command on another machine; null when it is meant for this one. */
async function remoteOf(command: Command, context: CommandContext): Promise<(() => Promise<number>) | null> {
  const { home, remote } = context.values as { home?: string; remote?: string };
  if (command.remote === undefined) return null;
  if (remote === undefined && meansThisMachine(home, context)) return null;
  const { prepareRemote } = await import('./remote/prepare-remote.ts');
  const prepared = await prepareRemote({ command, context, form: command.remote });
  if (prepared === null) return null;
  checkCount(command, prepared.given);
  return prepared.run;
}

function parse(command: Command, args: string[]): Given {
  try {
    return parseArgs({ args, options: allOptions(command), allowPositionals: true });
  } catch (error) {
    throw new FnrunError('FN_USAGE', describeError(error).message, { hint: helpHint(command), cause: error });
  }
}

function checkCount(command: Command, { positionals }: Given): void {
  const [min, max] = command.positionals ?? [0, Infinity];
  const count = positionals.length;
  if (count >= min && count <= max) return;
  const what = count < min ? 'An argument is missing' : `${positionals[max]} is one argument too many`;
  throw new FnrunError('FN_USAGE', `${what}, usage: fnrun ${command.usage}`, { hint: helpHint(command) });
}

function helpHint(command: Command): string {
  return `see: fnrun ${command.name} --help`;
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
