import { join, resolve } from 'node:path';
import { appDataOf } from '../../deploy/backup/app-data.ts';
import { listBackups } from '../../deploy/backup/backup-folder.ts';
import { dumpSchema } from '../../deploy/backup/dump.ts';
import { findClients } from '../../deploy/backup/dump-source.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import type { CommandContext } from '../command.ts';
import { createControlClient } from '../control-client.ts';
import { controlApps } from '../databases/control-apps.ts';
import { resolveHome } from '../home.ts';
import { formatAge, renderTable } from '../table.ts';
import { openTarget } from '../target-file.ts';
import type { backupOptions } from './options.ts';

type Context = CommandContext<typeof backupOptions>;

/** Dumps the database of an app, with the app's own rights, to a file or standard output. */
export async function backUpApp(app: string, context: Context): Promise<number> {
  const { values, cwd, signal, err } = context;
  const to = values.to ?? '-';
  if (to === '-' && process.stdout.isTTY) {
    throw new FnrunError('FN_USAGE', 'A backup is nothing to look at', {
      hint: `name a file: fnrun backup ${app} --to ${app}.sql.gz`,
    });
  }
  const { address, schema } = appDataOf(app, await controlApps(clientOf(context)).readEnv(app));
  const programs = await findClients();
  const target = to === '-' ? null : await openTarget(resolve(cwd, to));
  try {
    const stream = target?.stream ?? process.stdout;
    const bytes = await dumpSchema({ address, programs, to: stream, signal });
    await target?.keep();
    err(`${schema}: ${(bytes / 1e6).toFixed(1)} MB of SQL${target === null ? '' : ` in ${to}`}`);
    return 0;
  } finally {
    await target?.close();
  }
}

/** The backups of an app that the server keeps. */
export async function listAppBackups(app: string, context: Context): Promise<number> {
  const { values, json, out, cwd } = context;
  // Whoever may not see the app does not see its backups.
  await clientOf(context).request('GET', `/v1/apps/${encodeURIComponent(app)}`);
  const backups = await listBackups(join(resolve(cwd, values.dir), app));
  if (json) out(JSON.stringify(backups, null, 2));
  else if (backups.length === 0) out(`There is no backup of ${app} in ${values.dir}.`);
  else {
    const nowMs = Date.now();
    const rows = backups
      .toReversed()
      .map((one) => [one.file, `${(one.bytes / 1e6).toFixed(1)} MB`, formatAge(one.at.toISOString(), { nowMs })]);
    out(renderTable(['BACKUP', 'SIZE', 'MADE'], rows));
  }
  return 0;
}

function clientOf(context: Context) {
  return createControlClient(resolveHome(context.values.home, context));
}
