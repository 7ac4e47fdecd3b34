import { FnrunError } from '../../runtime/contract/errors.ts';
import { defineCommand, type CommandContext, type CommandOptions } from '../command.ts';
import { renderMysql, renderMysqlOptions } from '../mysql/render-mysql.ts';
import { renderNginx, renderNginxOptions } from '../nginx/render-nginx.ts';
import { renderCloudInit, renderCloudInitOptions } from '../server/render-cloud-init.ts';
import { renderSystemd, renderSystemdOptions } from '../systemd/render-systemd.ts';

const options = {
  ...renderMysqlOptions,
  ...renderCloudInitOptions,
  ...renderNginxOptions,
  ...renderSystemdOptions,
} as const;

type Context = CommandContext<typeof options>;

/** What can be rendered, with the options that mean something to it and how many arguments it takes. */
const subjects: Readonly<
  Record<string, { options: CommandOptions; positionalsMax: number; run: (context: Context) => Promise<number> }>
> = {
  nginx: { options: renderNginxOptions, positionalsMax: 2, run: renderNginx },
  systemd: { options: renderSystemdOptions, positionalsMax: 1, run: renderSystemd },
  mysql: { options: renderMysqlOptions, positionalsMax: 1, run: renderMysql },
  'cloud-init': { options: renderCloudInitOptions, positionalsMax: 1, run: renderCloudInit },
};

export const command = defineCommand({
  name: 'render',
  summary: 'print a configuration for this machine, every line with its reason',
  usage: 'render nginx [APP] [--domain D] … | systemd … | mysql … | cloud-init …',
  options,
  positionals: [1, 2],
  details: [
    '  nginx     nginx.conf and a file for each app of the running server, or the file of APP:',
    '            --domain --tls-cert --tls-key --no-tls --nginx-version --trust-proxy --enforce-limits --user --home',
    '  systemd   the unit of fnrun serve: --home --user',
    '  mysql     the option file of MariaDB or MySQL, for the version installed here or the one named:',
    '            the options from --engine to --relaxed-commits',
    '  cloud-init user-data with which a machine sets itself up at its first boot: --archive or --package --registry,',
    '            --arch, and the options of fnrun server setup',
    '',
    'Nothing is installed: the file goes to standard output. The program that it is for, when it is here, has read it',
    'and found nothing unknown. For mysql the disk is measured for two seconds at most, in a file that is removed at once.',
  ].join('\n'),
  run: async (context) => {
    const [name = '', second] = context.positionals;
    const subject = Object.hasOwn(subjects, name) ? subjects[name] : undefined;
    if (subject === undefined) {
      throw new FnrunError('FN_USAGE', `There is no configuration ${JSON.stringify(name)} to render`, {
        hint: `usage: fnrun render ${Object.keys(subjects).join('|')}`,
      });
    }
    if (context.positionals.length > subject.positionalsMax) {
      throw new FnrunError('FN_USAGE', `fnrun render ${name} takes no ${JSON.stringify(second)}`);
    }
    for (const [option, value] of Object.entries(context.values)) {
      if (Object.hasOwn(subject.options, option) || value === (options as CommandOptions)[option]?.default) continue;
      throw new FnrunError('FN_USAGE', `--${option} is no option of fnrun render ${name}`);
    }
    return await subject.run(context);
  },
});
