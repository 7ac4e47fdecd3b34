import { globSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A wall clock that can be moved, for the processes that run with `env`, and for nobody else. */
export interface MovableClock {
  env: Record<string, string>;
  /** Puts it this far ahead of the machine's; negative: behind. The monotonic clock goes on as it does when a clock is set. */
  move(seconds: number): Promise<void>;
}

/** Makes a clock over libfaketime; `dir` holds what tells it the time. */
export async function createMovableClock(dir: string): Promise<MovableClock> {
  const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1');
  if (library === undefined) throw new Error('libfaketime is not installed. Get it with: apt-get install faketime');
  const file = join(dir, 'clock');
  const move = (seconds: number): Promise<void> => writeFile(file, `${seconds >= 0 ? '+' : ''}${seconds}s\n`);
  await move(0);
  const env = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    FAKETIME_NO_CACHE: '1',
    // The daemon keeps its environment from the app hosts: their clock must be the same.
    NODE_OPTIONS: `--import=${join(import.meta.dirname, 'share-clock.mjs')}`,
  };
  return { env, move };
}
