import { existsSync, readFileSync } from 'node:fs';

/** Of util-linux, which every Debian and Ubuntu has. */
const setpriv = '/usr/bin/setpriv';

/** Bits of capabilities(7). */
const needed = { CAP_KILL: 5, CAP_SETGID: 6, CAP_SETUID: 7 };

const none = ['--inh-caps=-all', '--ambient-caps=-all', '--no-new-privs', '--'];

/** Ambient capabilities go to every program that is started: those of a service that starts apps under users of their own. */
const handsDown = capabilities('CapAmb') !== 0n;

/** The command line that runs `command` as user and group `id`, in no other group and without capabilities. */
export function asUser(id: number, command: readonly string[]): string[] {
  return [setpriv, `--reuid=${id}`, `--regid=${id}`, '--clear-groups', ...none, ...command];
}

/** The command line that runs `command` with none of the capabilities that this process hands down; most hand down none. */
export function withoutCapabilities(command: readonly string[]): string[] {
  return handsDown ? [setpriv, ...none, ...command] : [...command];
}

/** What this process lacks to start programs as other users and to end them; empty when it lacks nothing. */
export function missingForUsers(): string[] {
  if (!existsSync(setpriv)) return [setpriv];
  const effective = capabilities('CapEff');
  const handed = process.getuid?.() === 0 ? effective : effective & capabilities('CapAmb');
  return Object.entries(needed)
    .filter(([name, bit]) => (((name === 'CAP_KILL' ? effective : handed) >> BigInt(bit)) & 1n) === 0n)
    .map(([name]) => name);
}

function capabilities(set: 'CapEff' | 'CapAmb'): bigint {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    return BigInt(`0x${new RegExp(`^${set}:\\s+([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
  } catch {
    // No /proc, no capabilities: macOS.
    return 0n;
  }
}
