import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { NpmCommand } from '../../builder/dependencies/npm.ts';
import { buildLimits } from '../../runtime/contract/limits.ts';
import { withoutCapabilities } from '../../runtime/supervisor/privileges.ts';
import { bwrapArguments } from './bwrap.ts';
import type { Privileges } from './bwrap.ts';
import type { JailView } from './places.ts';
import { buildPrograms, npmPrograms } from './programs.ts';

/** How build processes are kept apart from the rest of the machine. */
export interface Jail {
  /** Whether the kernel holds it. */
  readonly closed: boolean;
  /** What it is, and why no better one, for the daemon's log. */
  readonly note: string;
  /** The command line that runs `command`, a Node program of fnrun, without network. */
  forBuild(view: JailView, command: readonly string[]): string[];
  /** The same for npm; `trusted`: it runs no scripts, and may have the network and the registry's credentials. */
  forNpm(
    view: JailView,
    options: { npm: NpmCommand; args: readonly string[]; trusted: boolean; cwd: string },
  ): string[];
}

const run = promisify(execFile);

/** Finds the best jail that works here, by trying. `wanted` false: none, because the operator says so. */
export async function findJail({
  wanted,
  path = process.env['PATH'] ?? '',
}: {
  wanted: boolean;
  path?: string;
}): Promise<Jail> {
  if (!wanted) return noJail('config.json says "jail": false');
  const bwrap = which('bwrap', path);
  if (bwrap === null) return noJail('bwrap is not installed: apt-get install bubblewrap');
  const kinds: Privileges[] = ['user namespace, closed', 'user namespace'];
  // Without namespaces of users it takes root to make the others.
  if (process.getuid?.() === 0) kinds.push('no capabilities');
  let why = '';
  for (const privileges of kinds) {
    const jail = bwrapJail(bwrap, privileges);
    const failure = await tryOut(jail);
    if (failure === null) return jail;
    why ||= failure;
  }
  return noJail(`${bwrap} does not work here: ${why}`);
}

function bwrapJail(bwrap: string, privileges: Privileges): Jail {
  const tmpBytes = buildLimits.jailTmpBytes;
  const user = privileges === 'no capabilities' ? 'as root without capabilities' : 'as nobody';
  return {
    closed: true,
    note: `builds run in a jail of ${bwrap}, ${user}`,
    forBuild: (view, command) => [
      bwrap,
      ...bwrapArguments({ ...buildPrograms(), view, network: false, cwd: '/tmp', tmpBytes, privileges }),
      ...command,
    ],
    forNpm: (view, { npm, args, trusted, cwd }) => [
      bwrap,
      ...bwrapArguments({ ...npmPrograms(npm, { trusted }), view, network: trusted, cwd, tmpBytes, privileges }),
      npm.file,
      ...npm.args,
      ...args,
    ],
  };
}

/**
 * A process of its own with an environment of its own, and no more: it may read what the daemon may. Node's
 * permissions are no help: under them nothing is synced to the disk (fsync is off), which a release must be,
 * and symbolic links, which a build makes, take the right to all files.
 */
function noJail(why: string): Jail {
  const setpriv = which('setpriv', process.env['PATH'] ?? '');
  // Ends with the daemon, even one that is killed.
  const tied = setpriv === null ? [] : [setpriv, '--pdeathsig', 'KILL', '--no-new-privs', '--'];
  return {
    closed: false,
    note: `builds run without a jail, in processes of their own that may read what this server may: ${why}; see docs/building.md`,
    forBuild: (_, command) => [...tied, ...command],
    forNpm: (_, { npm, args }) => [...tied, npm.file, ...npm.args, ...args],
  };
}

async function tryOut(jail: Jail): Promise<string | null> {
  const view: JailView = { readable: [], writable: [], hiddenFolders: [], hiddenFiles: [] };
  const command = jail.forBuild(view, [process.execPath, '-p', "'in ' + process.cwd()"]);
  const [file = '', ...args] = withoutCapabilities(command);
  try {
    const { stdout } = await run(file, args, { timeout: buildLimits.jailProbeMs, killSignal: 'SIGKILL', env: {} });
    return stdout.trim() === 'in /tmp' ? null : `it printed ${JSON.stringify(stdout)}`;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    return stderr.trim().split('\n').at(-1) || message;
  }
}

function which(program: string, path: string): string | null {
  const folders = [...path.split(delimiter), '/usr/bin', '/bin'].filter((folder) => folder.startsWith('/'));
  return folders.map((folder) => join(folder, program)).find((each) => existsSync(each)) ?? null;
}
