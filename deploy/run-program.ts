import { execFile } from 'node:child_process';
import { delimiter } from 'node:path';
import { databaseServerLimits } from '../runtime/contract/limits.ts';

/** How a program ended. */
export interface Ran {
  /** Null when a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program of this machine for a question. Null when there is none of that name. Looks in /usr/sbin too. */
export async function runProgram(name: string, args: readonly string[]): Promise<Ran | null> {
  const { programMs: timeout, programOutputBytes: maxBuffer } = databaseServerLimits;
  const PATH = [process.env['PATH'] ?? '', '/usr/sbin', '/usr/local/sbin'].join(delimiter);
  // Its own environment may name other option files (MYSQL_HOME).
  const env = { PATH, LC_ALL: 'C' };
  return await new Promise((resolve) => {
    execFile(name, args, { timeout, maxBuffer, env, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (error !== null && error.code === 'ENOENT') resolve(null);
      else resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr });
    });
  });
}
