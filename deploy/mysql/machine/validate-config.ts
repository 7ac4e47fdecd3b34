import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InstalledServer } from './detect-server.ts';
import { runProgram } from '../../run-program.ts';

/** What the server's own program says of a configuration. */
export interface Verdict {
  ok: boolean;
  /** Errors and warnings, one each, without those about the shell that asks (open files) and the empty data folder. */
  complaints: string[];
}

/**
 * Has the server read `text` without starting: MySQL has `--validate-config`; MariaDB reads its options and ends with
 * `--help --verbose`. Neither opens the data folder.
 */
export async function validateConfig(text: string, { engine, program }: InstalledServer): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), 'fnrun-cnf-'));
  try {
    const file = join(folder, 'my.cnf');
    await writeFile(file, text);
    // Root is refused without a word on who the server shall be.
    const user = process.getuid?.() === 0 ? ['--user=root'] : [];
    const how = engine === 'mysql' ? ['--validate-config'] : ['--help', '--verbose'];
    const ran = await runProgram(program, [`--defaults-file=${file}`, ...user, `--datadir=${folder}`, ...how]);
    if (ran === null) return { ok: false, complaints: [`${program} is not there`] };
    const complaints = parseComplaints(ran.stderr);
    const silent = complaints.length === 0 && ran.code !== 0;
    return { ok: ran.code === 0, complaints: silent ? [`it ended with ${ran.code ?? 'a signal'}`] : complaints };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const surroundings = /max_open_files|open_files_limit|table_open_cache|Could not open mysql\.plugin/i;

/** Errors and warnings of a server's log, without time and thread. */
export function parseComplaints(log: string): string[] {
  return log
    .split('\n')
    .map((line) => /\[(?:Warning|ERROR)\]\s*(.*)$/i.exec(line)?.[1]?.trim() ?? '')
    .filter((line) => line !== '' && !surroundings.test(line));
}
