import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { DatabaseAddress } from '../../runtime/contract/database-url.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { backupLimits } from '../../runtime/contract/limits.ts';
import { isDiskFull } from '../disk.ts';
import { DumpEnd } from './dump-lines.ts';
import type { ClientPrograms } from './dump-source.ts';
import { runClient } from './run-client.ts';

export interface DumpOptions {
  /** Where the server is, and who asks; its `database` is what is dumped. */
  address: DatabaseAddress;
  programs: ClientPrograms;
  /** Gets the dump, compressed by gzip; ended when it is whole. */
  to: Writable;
  signal: AbortSignal;
}

/**
 * Dumps one schema as it is at one moment, with its views, triggers, routines and events. InnoDB tables are not locked.
 * Resolves to the bytes of SQL. Rejects with FN_BACKUP when the server, the program or the disk failed, or the dump is not whole.
 */
export async function dumpSchema({ address, programs, to, signal }: DumpOptions): Promise<number> {
  const { database = '', ...server } = address;
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(backupLimits.dumpMs)]);
  const args = [...dumpArgs(programs), '--', database];
  const { child, ended } = runClient(programs.dump, args, { address: server, programs, signal: deadline });
  child.stdin!.end();
  const end = new DumpEnd();
  const wrote = pipeline(child.stdout!, end, createGzip({ level: backupLimits.gzipLevel }), to).then(
    () => null,
    (error: Error) => {
      child.kill();
      return error;
    },
  );
  const [failed, why] = await Promise.all([wrote, ended]);
  if (deadline.aborted) throw failure(database, 'it was ended', signal.aborted);
  // When the disk is full the program fails too, for want of a reader: that is not the cause.
  if (failed !== null && isDiskFull(failed)) throw failure(database, 'the disk is full');
  if (why !== null && !/errno: 32\b|Broken pipe/i.test(why)) throw failure(database, why);
  if (failed !== null) throw failure(database, failed.message);
  if (why !== null) throw failure(database, why);
  if (!end.isWhole) throw failure(database, 'what it wrote has no end');
  return end.bytes;
}

function dumpArgs({ engine }: ClientPrograms): string[] {
  return [
    // One moment for all tables of InnoDB, and nobody waits.
    '--single-transaction',
    '--quick',
    '--skip-lock-tables',
    '--routines',
    '--triggers',
    '--events',
    '--hex-blob',
    '--default-character-set=utf8mb4',
    '--max-allowed-packet=1G',
    // These are the administrator's, and an app's user may not ask for them.
    '--no-tablespaces',
    ...(engine === 'mysql' ? ['--set-gtid-purged=OFF'] : []),
  ];
}

function failure(schema: string, why: string, aborted = false): FnrunError {
  return new FnrunError('FN_BACKUP', `${schema} could not be dumped: ${why}`, {
    hint: aborted ? 'nothing was written' : 'earlier backups are as they were',
  });
}
