import { parseServerVersion, type ServerVersion } from '../engine.ts';
import { runProgram } from '../../run-program.ts';

/** A server program of this machine. */
export interface InstalledServer extends ServerVersion {
  program: string;
}

/** The server that is installed here; null when there is none. On Debian `mysqld` may be MariaDB's by another name. */
export async function detectServer(): Promise<InstalledServer | null> {
  for (const program of ['mariadbd', 'mysqld']) {
    const ran = await runProgram(program, ['--no-defaults', '--version']);
    const found = ran === null ? null : parseServerVersion(ran.stdout);
    if (found !== null) return { ...found, program };
  }
  return null;
}
