import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { canInstall, installTools, missingTools } from '../../cli/scripts/debian-tools.ts';

const run = promisify(execFile);

/** What a case needs beside Node and git: programs of the distribution, and the packages of this folder. */
export type Need = 'wrk' | 'nginx' | 'mariadb' | 'peers';

/** The environment of the machine's tools: Debian has nginx in /usr/sbin, which is not in everybody's PATH. */
export const toolEnv: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: [process.env['PATH'], '/usr/sbin'].join(delimiter),
};

/** Sees to what a case needs, and installs it when that can be done. Rejects with what to do otherwise. */
export async function ensure(need: Need, { say }: { say: (line: string) => void }): Promise<void> {
  if (need === 'peers') return await ensurePeers({ say });
  const tools = [
    need === 'mariadb'
      ? { name: 'mariadbd', args: ['--version'], package: 'mariadb-server' }
      : { name: need, args: ['-v'], package: need },
  ];
  if (missingTools(tools).length === 0) return;
  if (!canInstall()) throw new Error(`${need} is not installed here. Get it with: apt-get install ${need} (as root)`);
  say(`installing ${need} (apt-get)`);
  const failure = installTools(tools);
  if (failure !== null) throw new Error(`${need} cannot be installed: ${failure}`);
}

/** The version of a program of the distribution, or that there is none. */
export async function toolVersion(tool: 'wrk' | 'nginx' | 'mariadbd'): Promise<string> {
  // wrk prints its usage behind it and exits with 1, nginx writes to standard error.
  const option = tool === 'mariadbd' ? '--version' : '-v';
  const { stdout = '', stderr = '' } = await run(tool, [option], { env: toolEnv }).catch(
    (error: { stdout?: string; stderr?: string }) => error,
  );
  return /\d+\.\d+\.\d+\S*/.exec(stdout + stderr)?.[0] ?? 'not installed';
}

/** Offline, npm takes minutes to say so: once is enough. */
let triedPeers = false;

/** Installs the peers into this folder's node_modules, unless they are there as its lockfile has them. */
async function ensurePeers({ say }: { say: (line: string) => void }): Promise<void> {
  const folder = import.meta.dirname;
  if (triedPeers || isCurrent(folder)) return;
  triedPeers = true;
  say('installing the peers (npm ci in test/bench, about 400 MB)');
  const install = run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, timeout: 600_000 });
  // Those that are there, or come with Node, are measured all the same.
  await install.catch((error: { stderr?: string; message: string }) => {
    const lines = (error.stderr ?? error.message).split('\n').filter((line) => /npm (error|ERR!)/.test(line));
    say(`the peers could not be installed: ${lines[0] ?? error.message}`);
  });
}

/** npm leaves what it installed as a lockfile of its own, without what is of other platforms. */
function isCurrent(folder: string): boolean {
  const installed = join(folder, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  const versions = (path: string): Record<string, { version?: string }> =>
    (JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, { version?: string }> }).packages;
  const wanted = versions(join(folder, 'package-lock.json'));
  return Object.entries(versions(installed)).every(([path, { version }]) => wanted[path]?.version === version);
}
