import { readFileSync, writeFileSync } from 'node:fs';
import { FnrunError } from '../runtime/contract/errors.ts';
import { type FileLock, holdFile } from './file-lock.ts';

/** Takes the home for this process. Throws FN_ALREADY_RUNNING when another has it. */
export function lockHome(file: string, { home }: { home: string }): FileLock {
  const lock = holdFile(file);
  if (lock === null) {
    const pid = readPid(`${file}.pid`);
    throw new FnrunError(
      'FN_ALREADY_RUNNING',
      `Another fnrun server${pid === null ? '' : ` (process ${pid})`} has the home ${home}`,
      { hint: 'stop it first, or name another home with --home' },
    );
  }
  // Only for the message above: the lock itself does not depend on it.
  writeFileSync(`${file}.pid`, `${process.pid}\n`);
  return lock;
}

function readPid(file: string): number | null {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10) || null;
  } catch {
    return null;
  }
}
