import { resolve } from 'node:path';
import { findClients } from '../../deploy/backup/dump-source.ts';
import { backUpAll } from '../../deploy/backup/nightly.ts';
import { openAdmin } from '../../deploy/database/own/admin.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { backupLimits } from '../../runtime/contract/limits.ts';
import type { CommandContext } from '../command.ts';
import { findSocket } from '../databases/socket.ts';
import { resolveHome } from '../home.ts';
import { parseCount } from '../mysql/parse-size.ts';
import { describeError, renderError } from '../print-error.ts';
import type { backupOptions } from './options.ts';

/** `fnrun backup --all`, which a timer runs at night. Resolves to 1 when anything failed. */
export async function runNightly(context: CommandContext<typeof backupOptions>): Promise<number> {
  const { values, cwd, out, err, signal } = context;
  const keepDays = parseCount(values['keep-days'], { name: '--keep-days', most: backupLimits.keepDaysMax });
  const failures: FnrunError[] = [];
  const database = await openDatabase(context).catch((error: unknown) => {
    // The server's own files are backed up all the same.
    if (!(error instanceof FnrunError)) throw error;
    failures.push(error);
    return null;
  });
  try {
    failures.push(
      ...(await backUpAll({
        dir: resolve(cwd, values.dir),
        home: resolveHome(values.home, context),
        database,
        keepDays,
        now: () => new Date(),
        tell: out,
        signal,
      })),
    );
  } finally {
    database?.admin.close();
  }
  for (const failure of failures) err(renderError(describeError(failure), { json: false }));
  return failures.length > 0 || signal.aborted ? 1 : 0;
}

async function openDatabase({ values, cwd }: CommandContext<typeof backupOptions>) {
  const socketPath = findSocket(values.socket, { cwd });
  if (socketPath === null) return null;
  const programs = await findClients();
  return { admin: await openAdmin({ socketPath }), programs };
}
