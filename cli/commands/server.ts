import { FnrunError } from '../../runtime/contract/errors.ts';
import { defineCommand, jsonOption, type CommandContext, type CommandOptions } from '../command.ts';
import { setupOptions, setupServer } from '../server/setup.ts';

const options = { ...setupOptions, ...jsonOption } as const;

type Context = CommandContext<typeof options>;

/** What can be done with a server, with the options that mean something to it. */
const subjects: Readonly<
  Record<string, { options: CommandOptions; positionalsMax: number; run: (context: Context) => Promise<number> }>
> = {
  setup: { options: setupOptions, positionalsMax: 2, run: setupServer },
  // Not in --help: systemd runs it, as root.
  sync: {
    options: jsonOption,
    positionalsMax: 1,
    run: async (context) => (await import('../server/sync.ts')).syncServer(context),
  },
};

export const command = defineCommand({
  name: 'server',
  summary: 'make a bare Debian or Ubuntu machine a server of fnrun',
  usage: 'server setup TARGET [--plan] [--domain D] [--key FILE…] [--database mariadb|mysql|none] …',
  options,
  positionals: [1, 2],
  details: [
    '  setup TARGET   has the machine as it should be: what is so already is left alone, so a second time changes nothing.',
    '                 TARGET is root@host, user@host:port (with sudo that asks for no password), a name of ~/.ssh/config,',
    '                 or local. A step that fails ends it; run it again to go on from there. See docs/server.md.',
    '',
    'Debian 12, Debian 13 and Ubuntu 24.04. Options that are left out keep what stands in /etc/fnrun/server.json there.',
  ].join('\n'),
  run: async (context) => {
    const [name = '', , third] = context.positionals;
    const subject = Object.hasOwn(subjects, name) ? subjects[name] : undefined;
    if (subject === undefined) {
      throw new FnrunError('FN_USAGE', `server ${name} is nothing fnrun can do`, { hint: 'see: fnrun server --help' });
    }
    if (context.positionals.length > subject.positionalsMax) {
      throw new FnrunError('FN_USAGE', `fnrun server ${name} takes no ${JSON.stringify(third)}`);
    }
    for (const option of Object.keys(context.values)) {
      if (Object.hasOwn(subject.options, option)) continue;
      throw new FnrunError('FN_USAGE', `--${option} is no option of fnrun server ${name}`);
    }
    return await subject.run(context);
  },
});
