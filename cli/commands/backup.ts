import { FnrunError } from '../../runtime/contract/errors.ts';
import { backupOptions } from '../backup/options.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  name: 'backup',
  summary: "dump an app's database, or list the backups that the server keeps of it",
  usage: 'backup APP [--to FILE|--list], or backup --all',
  options: backupOptions,
  positionals: [0, 1],
  remote: {
    app: true,
    leftOut: (positionals) => positionals.length === 0,
    localOptions: ['all', 'dir', 'socket'],
    output: ({ values }) => {
      const to = values['to'];
      if (values['list'] === true || values['all'] === true) return null;
      if (to === undefined && process.stdout.isTTY) throw nothingToLookAt();
      return typeof to === 'string' && to !== '-' ? { to, values: { ...values, to: '-' } } : null;
    },
  },
  details: [
    'A backup is the SQL of one moment, compressed by gzip: tables, views, triggers, routines and events. It needs no more',
    'rights than the app has. Without --to it goes to standard output: fnrun backup shop > shop.sql.gz, over ssh too.',
    '',
    '--all is what a timer runs on the server at night, as root: the schema of every app into /var/backups/fnrun/APP,',
    'and into _server what else a server is built anew from: state, variables (encrypted, with their key), repositories.',
    'Each is read back and has its checksum beside it. What fails leaves the others as they are; exit code 1 then.',
    'fnrun restore brings one back.',
  ].join('\n'),
  run: async (context) => {
    const { values, positionals } = context;
    const [app] = positionals;
    if (values.all === true) {
      if (app !== undefined || values.list === true || values.to !== undefined) {
        throw new FnrunError('FN_USAGE', 'backup --all takes no app, no --to and no --list');
      }
      return await (await import('../backup/back-up-all.ts')).runNightly(context);
    }
    if (app === undefined) {
      throw new FnrunError('FN_USAGE', 'backup needs an app, or --all', { hint: 'see: fnrun backup --help' });
    }
    const { backUpApp, listAppBackups } = await import('../backup/back-up-app.ts');
    return values.list === true ? await listAppBackups(app, context) : await backUpApp(app, context);
  },
});

function nothingToLookAt(): FnrunError {
  return new FnrunError('FN_USAGE', 'A backup is nothing to look at', { hint: 'name a file with --to FILE' });
}
