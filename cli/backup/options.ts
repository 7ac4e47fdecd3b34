import { backupsFolder } from '../../deploy/backup/nightly.ts';
import { backupLimits } from '../../runtime/contract/limits.ts';
import { homeOption, jsonOption, type CommandOptions } from '../command.ts';
import { socketOption } from '../databases/socket.ts';

/** `--dir`, where a server keeps its backups. */
export const backupsOption = {
  dir: { type: 'string', value: 'DIR', default: backupsFolder, description: "the server's folder of backups" },
} as const satisfies CommandOptions;

export const backupOptions = {
  to: { type: 'string', value: 'FILE', description: 'write it to this file of yours (default: standard output)' },
  list: { type: 'boolean', description: 'list the backups of the app that the server keeps' },
  all: { type: 'boolean', description: 'every database and the files of the server, into its folder of backups' },
  'keep-days': {
    type: 'string',
    value: 'N',
    default: String(backupLimits.keepDays),
    description: 'all: remove older ones, but never the last of anything',
  },
  ...backupsOption,
  ...socketOption,
  ...homeOption,
  ...jsonOption,
} as const satisfies CommandOptions;
