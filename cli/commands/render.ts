import { FnrunError } from '../../runtime/contract/errors.ts';
import { defineCommand } from '../command.ts';
import { renderMysql, renderMysqlOptions } from '../mysql/render-mysql.ts';

export const command = defineCommand({
  name: 'render',
  summary: 'print a configuration for this machine, every line with its reason',
  usage: 'render mysql [--memory MB] [--dedicated] [--max-connections N] …',
  options: renderMysqlOptions,
  positionals: [1, 1],
  details: [
    '  mysql   the option file of MariaDB or MySQL, for the version installed here or the one named',
    '',
    'Nothing is installed: the file goes to standard output. The server that it is for, when it is here, has read it',
    'and found nothing unknown. The disk is measured for two seconds at most, in a file that is removed at once.',
  ].join('\n'),
  run: async (context) => {
    const [subject = ''] = context.positionals;
    if (subject === 'mysql') return await renderMysql(context);
    throw new FnrunError('FN_USAGE', `There is no configuration ${JSON.stringify(subject)} to render`, {
      hint: 'usage: fnrun render mysql',
    });
  },
});
