import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Programs of the distribution that cases need. */
export type Tool = 'wrk' | 'nginx';

/** Installs a tool with apt when it is missing and we may. Throws with what to do otherwise. */
export async function ensureTool(tool: Tool, { say }: { say: (line: string) => void }): Promise<void> {
  if (await isInstalled(tool)) return;
  if (process.getuid?.() !== 0)
    throw new Error(`The benchmarks need ${tool}: install it (apt-get install ${tool}) and run again`);
  say(`installing ${tool} (apt-get install ${tool})`);
  // Runlevel 1: the package's own service is not started.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const install = (): Promise<unknown> =>
    run('apt-get', ['install', '-y', '--no-install-recommends', tool], { timeout: 180_000, env });
  await install().catch(async () => {
    await run('apt-get', ['update'], { timeout: 180_000 });
    await install();
  });
  if (!(await isInstalled(tool))) throw new Error(`${tool} was installed and does not run: see "${tool} -v"`);
}

/** What the tool says of its version, in one line. */
export async function toolVersion(tool: Tool): Promise<string> {
  // wrk prints its usage behind it and exits with 1, nginx writes to standard error.
  const { stdout = '', stderr = '' } = await run(tool, ['-v']).catch(
    (error: { stdout?: string; stderr?: string }) => error,
  );
  return /\d+\.\d+\.\d+\S*/.exec(stdout + stderr)?.[0] ?? 'unknown';
}

async function isInstalled(tool: Tool): Promise<boolean> {
  const error = await run(tool, ['-v']).then(
    () => null,
    (caught: NodeJS.ErrnoException) => caught,
  );
  return error === null || error.code !== 'ENOENT';
}

/** Installs the peers into this folder's node_modules, unless they are there as its lockfile has them. */
export async function ensurePeers({ say }: { say: (line: string) => void }): Promise<void> {
  const folder = import.meta.dirname;
  if (isCurrent(folder)) return;
  say('installing the peers (npm ci in test/bench, about 400 MB)');
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, timeout: 600_000 });
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
