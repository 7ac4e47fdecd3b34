import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../support/deadline.ts';
import { isAlive, type Ran } from './programs.ts';

/** What runs programs in the guest. */
interface Reach {
  run(argv: readonly string[], options?: { timeoutMs?: number }): Promise<Ran>;
}

const bootMs = 600_000;
const lookMs = 250;
const tryMs = 60_000;

/** For `ssh -F`: the guest is `vm`; one connection is shared by all. */
export async function writeSshConfig(
  file: string,
  { folder, port, key }: { folder: string; port: number; key: string },
): Promise<void> {
  const lines = `Host vm
    HostName 127.0.0.1
    Port ${port}
    User root
    IdentityFile ${key}
    IdentitiesOnly yes
    IdentityAgent none
    BatchMode yes
    LogLevel ERROR
    StrictHostKeyChecking accept-new
    UserKnownHostsFile ${join(folder, 'known_hosts')}
    ControlMaster auto
    ControlPath ${join(folder, 'ssh-%r')}
    ControlPersist 120
    ConnectTimeout 30
    ServerAliveInterval 15
`;
  await writeFile(file, lines);
}

/** Which boot of the guest answers; null: none does. */
export async function bootId(vm: Reach): Promise<string | null> {
  const { code, stdout } = await vm.run(['cat', '/proc/sys/kernel/random/boot_id'], { timeoutMs: tryMs });
  return code === 0 ? stdout.trim() : null;
}

/** Resolves when ssh answers in another boot than `before`, and the clock is right. */
export async function sshAnswers(vm: Reach, before: string | null): Promise<void> {
  await eventually(
    async () => {
      const id = await bootId(vm);
      return id !== null && id !== before;
    },
    { deadlineMs: bootMs, everyMs: lookMs },
  );
  // A machine that goes on from a kept state, and its hardware clock, believe it is then.
  await vm.run(['date', '-s', `@${Math.round(Date.now() / 1000)}`]);
}

/** Resolves when the process is gone; it is killed after `ms`. */
export async function ended(pid: number, ms: number): Promise<void> {
  await eventually(() => !isAlive(pid), { deadlineMs: ms, everyMs: 50 }).catch(() => process.kill(pid, 'SIGKILL'));
}
