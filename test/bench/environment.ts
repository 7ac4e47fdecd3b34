import { readFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { tryGit } from '../support/git.ts';
import { allSides } from './sides.ts';
import { toolVersion } from './tools.ts';

/** What the figures were measured on and with. */
export interface Environment {
  cpu: string;
  cores: number;
  memoryMb: number;
  kernel: string;
  /** Of one minute, when the run began: what else the machine did. */
  load: number;
  commit: string;
  /** Version, or why there is none, by the name of the side or tool. */
  versions: Record<string, string>;
}

/** Reads the machine, and the version of every side and tool. */
export async function readEnvironment(): Promise<Environment> {
  const root = join(import.meta.dirname, '../..');
  const { stdout, code } = await tryGit(root, ['describe', '--always', '--dirty', '--abbrev=12']);
  const cpuInfo = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const versions: Record<string, string> = {};
  for (const { name, version } of allSides) {
    try {
      versions[name] = version();
    } catch (error) {
      versions[name] = error instanceof Error ? error.message : String(error);
    }
  }
  for (const tool of ['wrk', 'nginx', 'mariadbd'] as const) versions[tool] = await toolVersion(tool);
  return {
    cpu: /^model name\s*:\s*(.+)$/m.exec(cpuInfo)?.[1] ?? cpus()[0]?.model ?? process.arch,
    cores: cpus().length,
    memoryMb: Math.round(totalmem() / 2 ** 20),
    kernel: `${type()} ${release()}`,
    load: Number(loadavg()[0]!.toFixed(2)),
    commit: code === 0 ? stdout.trim() : 'unknown',
    versions,
  };
}

/** Lines for people. */
export function environmentLines(environment: Environment): string[] {
  const { cpu, cores, memoryMb, kernel, load, commit, versions } = environment;
  return [
    `${cores} × ${cpu}, ${memoryMb} MB, ${kernel}, load ${load}, commit ${commit}`,
    ...Object.entries(versions).map(([name, version]) => `${name} ${version}`),
  ];
}
