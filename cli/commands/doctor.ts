import { FnrunError } from '../../runtime/contract/errors.ts';
import { defineCommand } from '../command.ts';
import { doctorMysql, doctorMysqlOptions } from '../mysql/doctor-mysql.ts';

export const command = defineCommand({
  name: 'doctor',
  summary: 'look at a running server and say what to change',
  usage: 'doctor mysql [--url URL|--socket PATH] [--max-connections N] …',
  options: doctorMysqlOptions,
  positionals: [1, 1],
  details: [
    '  mysql   compares MariaDB or MySQL with what fnrun render mysql would write, and reads its counters',
    '',
    'Each finding is one line: how grave, what, how it was measured, what to do. Nothing is changed. Options that say',
    'what the machine is are those of fnrun render mysql: give both the same.',
    'Exit code 0: well; 1: something to do, or the server does not answer; 2: not understood.',
  ].join('\n'),
  run: async (context) => {
    const [subject = ''] = context.positionals;
    if (subject === 'mysql') return await doctorMysql(context);
    throw new FnrunError('FN_USAGE', `There is nothing called ${JSON.stringify(subject)} to look at`, {
      hint: 'usage: fnrun doctor mysql',
    });
  },
});
