import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { DatabaseAddress } from '../../runtime/contract/database-url.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { backupLimits } from '../../runtime/contract/limits.ts';
import { DumpEnd, DumpForLoading, ForeignDump } from './dump-lines.ts';
import type { ClientPrograms } from './dump-source.ts';
import { runClient } from './run-client.ts';

export interface LoadOptions {
  /** Where the server is, and as whom it is loaded; its `database` is an empty schema. */
  address: DatabaseAddress;
  programs: ClientPrograms;
  /** SQL, plain or compressed by gzip. */
  from: Readable;
  signal: AbortSignal;
}

/**
 * Loads a dump with the rights of the user in `address`. Resolves to the bytes of SQL. Rejects with FN_RESTORE when a statement
 * fails, or the dump is not whole; what was loaded by then is there.
 */
export async function loadDump({ address, programs, from, signal }: LoadOptions): Promise<number> {
  const { database = '', ...server } = address;
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(backupLimits.loadMs)]);
  // --binary-mode: of the client's own commands, which could run programs, only `delimiter` counts.
  const args = [
    '--binary-mode',
    '--batch',
    '--default-character-set=utf8mb4',
    '--max-allowed-packet=1G',
    '--',
    database,
  ];
  const { stream, isGzip } = await peek(from);
  const { child, ended } = runClient(programs.client, args, { address: server, programs, signal: deadline });
  child.stdout!.resume();
  const end = new DumpEnd();
  const plain = isGzip ? createGunzip() : new PassThrough();
  const sent = pipeline(stream, plain, end, new DumpForLoading(), child.stdin!).then(
    () => null,
    (error: NodeJS.ErrnoException) => {
      // A client that has ended tells why itself.
      if (refusedToRead.has(error.code ?? '')) return null;
      child.kill();
      return error;
    },
  );
  const [failed, why] = await Promise.all([sent, ended]);
  if (signal.aborted) throw failure('it was ended');
  if (deadline.aborted) throw failure(`it took longer than ${backupLimits.loadMs / 3_600_000} h`);
  if (failed instanceof ForeignDump) {
    throw failure(failed.message, 'dump one schema alone, without --databases or --all-databases');
  }
  if (failed !== null) throw failure(`it cannot be read: ${failed.message}`);
  if (why !== null) throw failure(why);
  if (!end.isWhole) throw failure('it has no end: "-- Dump completed" is not its last line');
  return end.bytes;
}

const refusedToRead = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

/** Looks at the first two bytes (RFC 1952, section 2.3.1). */
async function peek(from: Readable): Promise<{ stream: Readable; isGzip: boolean }> {
  let head = Buffer.alloc(0);
  for await (const chunk of from.iterator({ destroyOnReturn: false })) {
    head = Buffer.concat([head, chunk as Buffer]);
    if (head.length >= 2) break;
  }
  if (head.length === 0) throw failure('it is empty');
  const ended = from.readableEnded || head.length < 2;
  if (!ended) from.unshift(head);
  return { stream: ended ? Readable.from([head]) : from, isGzip: head[0] === 0x1f && head[1] === 0x8b };
}

function failure(why: string, hint = 'the app goes on with the data that it has'): FnrunError {
  return new FnrunError('FN_RESTORE', `The backup is not restored: ${why}`, { hint });
}
