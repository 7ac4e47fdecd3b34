import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/** A program that the tests run, and the Debian package that has it. */
export interface Tool {
  name: string;
  args: readonly string[];
  package: string;
}

/** Debian asks this file, if it is there, before a package may start a service. */
const servicePolicy = '/usr/sbin/policy-rc.d';
const lockSeconds = 120;
/** Services that packages bring, by package. */
const servicesOf: Readonly<Record<string, string>> = { nginx: 'nginx', 'mariadb-server': 'mariadb' };

/** Tools that cannot be started. Those in /usr/sbin count too, which is not in everybody's PATH. */
export function missingTools(tools: readonly Tool[]): Tool[] {
  return tools.filter(({ name, args }) => {
    return [name, `/usr/sbin/${name}`].every((path) => spawnSync(path, args, { stdio: 'ignore' }).error !== undefined);
  });
}

/**
 * Installs the packages of `tools`, saying so in one line, and starts no service of theirs. Returns what went wrong,
 * null when nothing did. For root on a Debian machine only (`canInstall`).
 */
export function installTools(tools: readonly Tool[]): string | null {
  const packages = tools.map((tool) => tool.package);
  console.log(`Installing for the tests: ${packages.join(' ')} (apt-get; no service is started)`);
  const ownPolicy = !existsSync(servicePolicy);
  if (ownPolicy) writeFileSync(servicePolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const install = ['install', '--yes', '--no-install-recommends', ...packages];
    // The lists of a fresh machine are empty or old: then they are fetched, once.
    if (apt(install) === null) return null;
    return apt(['update']) ?? apt(install);
  } finally {
    if (ownPolicy) rmSync(servicePolicy, { force: true });
    // Nor at the next start of the machine.
    const services = packages.map((name) => servicesOf[name]).filter((name) => name !== undefined);
    if (existsSync('/run/systemd/system')) for (const name of services) spawnSync('systemctl', ['disable', name]);
  }
}

/** Whether `installTools` has a chance. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).error === undefined;
}

function apt(args: readonly string[]): string | null {
  const options = ['--quiet', '-o', `DPkg::Lock::Timeout=${lockSeconds}`];
  const { status, error, stderr, stdout } = spawnSync('apt-get', [...options, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  });
  if (status === 0) return null;
  return error?.message ?? (stderr.trim() || stdout.trim()).split('\n').slice(-5).join('\n');
}
