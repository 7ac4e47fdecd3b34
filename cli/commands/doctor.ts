import { FnrunError } from '../../runtime/contract/errors.ts';
import { defineCommand, homeOption } from '../command.ts';
import { doctorMysql, doctorMysqlOptions } from '../mysql/doctor-mysql.ts';

export const command = defineCommand({
  name: 'doctor',
  summary: 'look at a machine or a running database server and say what to change',
  usage: 'doctor [TARGET]  ·  doctor mysql [--url URL|--socket PATH] …',
  options: {
    all: { type: 'boolean', description: 'of a machine: also what was well, with its figures' },
    ssh: {
      type: 'string',
      value: 'COMMAND',
      description: 'the ssh to use, with options (default: $GIT_SSH_COMMAND, else ssh)',
    },
    ...homeOption,
    ...doctorMysqlOptions,
  },
  positionals: [0, 1],
  details: [
    '  TARGET  user@host[:port] over ssh, or local (the default): disks, memory, clock, certificates, firewall, ports, units,',
    '          sshd, versions, updates, backups, the server and its apps, and whether setup would change anything',
    '  mysql   compares MariaDB or MySQL with what fnrun render mysql would write, and reads its counters; the options from',
    '          --url on are for it, and those that say what the machine is are the same as of fnrun render mysql',
    '',
    'Each finding is one line: how grave, what, how it was measured, what to do. Nothing is changed. What does not apply to a',
    'machine, because it is no server for example, is left out and counted in the last line.',
    'Exit code 0: well; 1: something to do (critical or warning), or not reached; 2: not understood.',
  ].join('\n'),
  run: async (context) => {
    const [subject = 'local'] = context.positionals;
    if (subject === 'mysql') return await doctorMysql(context);
    if (context.values.url !== undefined || context.values.socket !== undefined) {
      throw new FnrunError('FN_USAGE', '--url and --socket name a database server', {
        hint: 'fnrun doctor mysql --url …',
      });
    }
    const { doctorMachine } = await import('../doctor/doctor-machine.ts');
    return await doctorMachine(subject, context);
  },
});
