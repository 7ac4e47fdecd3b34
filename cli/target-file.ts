import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { FnrunError } from '../runtime/contract/errors.ts';

/** A file that is written as a whole or not at all. */
export interface TargetFile {
  /** Closed, what was written to it is on the disk. */
  stream: Writable;
  /** What was written is there under the file's name. */
  keep(): Promise<void>;
  /** What was not kept is gone. Idempotent. */
  close(): Promise<void>;
}

/** Opens it beside `path`, readable for its owner only. Throws FN_USAGE when that cannot be. */
export async function openTarget(path: string): Promise<TargetFile> {
  const temporary = `${path}.part-${process.pid}`;
  const stream = createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true });
  await once(stream, 'open').catch((cause: NodeJS.ErrnoException) => {
    throw new FnrunError('FN_USAGE', `Cannot write ${path}: ${cause.code ?? cause.message}`, { cause });
  });
  return {
    stream,
    keep: async () => await rename(temporary, path),
    close: async () => {
      stream.on('error', () => undefined).destroy();
      await rm(temporary, { force: true });
    },
  };
}
