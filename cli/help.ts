import { type Command, type CommandOption, type CommandOptions, remoteOption } from './command.ts';

/** `fnrun --help`. */
export function overview(commands: readonly Command[]): string {
  const rows = commands
    .filter((command) => command.hidden !== true)
    .map((command): [string, string] => [
      // Positionals only: the options are in the command's own help.
      command.usage.split(' [-')[0] ?? command.usage,
      command.summary,
    ]);
  return [
    'fnrun: push a repository of handler folders, get HTTP.',
    '',
    'Usage: fnrun COMMAND [options]',
    '',
    'Commands:',
    ...columns(rows),
    '',
    'Options:',
    ...columns([
      ['-h, --help', 'show this, or the help of a command'],
      ['-v, --version', 'show the version'],
    ]),
    '',
    'Exit codes: 0 done, 1 failed, 2 not understood. NO_COLOR turns colours off.',
  ].join('\n');
}

/** `fnrun COMMAND --help`. */
export function commandHelp(command: Command): string {
  const options = allOptions(command);
  const rows = Object.entries(options).map(([name, option]): [string, string] => [
    optionSyntax(name, option),
    option.description + defaultOf(option),
  ]);
  return [
    `Usage: fnrun ${command.usage}`,
    '',
    `${command.summary[0]?.toUpperCase() ?? ''}${command.summary.slice(1)}.`,
    ...(command.details === undefined ? [] : ['', command.details.trimEnd()]),
    '',
    'Options:',
    ...columns(rows),
  ].join('\n');
}

/** The command's own options, and those that come by themselves. */
export function allOptions(command: Command): CommandOptions {
  return { ...command.options, ...(command.remote !== undefined && remoteOption), ...helpOption };
}

/** `--help`, which every command has. */
const helpOption = {
  help: { type: 'boolean', short: 'h', description: 'show this' },
} as const satisfies CommandOptions;

function optionSyntax(name: string, option: CommandOption): string {
  const short = option.short === undefined ? '' : `-${option.short}, `;
  return `${short}--${name}${option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : ''}`;
}

function defaultOf(option: CommandOption): string {
  return typeof option.default === 'string' ? ` (default: ${option.default})` : '';
}

function columns(rows: readonly [string, string][]): string[] {
  const width = Math.min(36, Math.max(...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
