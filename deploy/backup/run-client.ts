import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { DatabaseAddress } from '../../runtime/contract/database-url.ts';
import { backupLimits } from '../../runtime/contract/limits.ts';
import { type ClientPrograms, openOptionFile } from './dump-source.ts';

/** A program that talks to the server with an app's, or the administrator's, name and password. */
export interface ClientRun {
  child: ChildProcess;
  /** Resolves when it has ended: null, or why it failed in its own words. */
  ended: Promise<string | null>;
}

export interface ClientOptions {
  address: DatabaseAddress;
  programs: ClientPrograms;
  /** Ends it. */
  signal: AbortSignal;
}

/** Starts `mariadb-dump` or `mariadb` with these arguments; its input and output are pipes. */
export function runClient(program: string, args: readonly string[], options: ClientOptions): ClientRun {
  const { address, programs, signal } = options;
  const file = openOptionFile(address, programs);
  try {
    const child = spawn(program, ['--defaults-file=/dev/fd/3', ...args], {
      stdio: ['pipe', 'pipe', 'pipe', file],
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8' },
      signal,
      killSignal: 'SIGTERM',
    });
    let words = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-backupLimits.wordsChars);
    });
    const ended = new Promise<string | null>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, killed) => {
        if (code === 0) resolve(null);
        else resolve(reasonIn(words) || `it ended with ${killed ?? code}`);
      });
    });
    return { child, ended };
  } finally {
    closeSync(file);
  }
}

/** The lines of a program's words that say why; above them the client repeats the statement, which may hold data. */
function reasonIn(words: string): string {
  const lines = words.split('\n').filter((line) => line.trim() !== '');
  const reasons = lines.filter((line) => /^(?:ERROR\b|(?:mariadb|mysql)(?:-?dump)?: )/.test(line));
  return reasons.slice(-2).join('; ');
}
